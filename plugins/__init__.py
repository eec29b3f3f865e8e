"""The attacks, metrics and inspectors that ship with `auditor`, installed as `auditor_plugins`."""
