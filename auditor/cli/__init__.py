"""The command line: one command a file, registered in `app`. stdout is data, stderr is narration.

What belongs here: arguments, exit codes, and what commands print. A command decides nothing about an audit. It imports
what is heavy inside its function, so that `auditor --help` starts at once. It imports `report` and what stands lower;
nothing imports it, and it does not import `tui` except to launch it.
"""
