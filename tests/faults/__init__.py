"""Real audits while something goes wrong, at moments drawn from a seed; see `python -m tests.faults --help`."""
