"""The attacks and metrics that ship with `auditor`, installed as `auditor_plugins`."""
