"""The command line: one command a file, registered in `app`. stdout is data, stderr is narration."""
