"""The terminal interface: a face over the events, the store and the reports, without any logic.

What belongs here: what is drawn and what keys do. It never executes an audit; it starts a process that does, and reads
the store. It imports `report` and what stands lower; nothing imports it but the one line of `cli` that launches it.
"""
