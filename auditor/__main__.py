"""`python -m auditor` is the `auditor` command."""

from auditor.cli.app import main

main()
