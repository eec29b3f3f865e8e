"""The attacks, drifts, metrics and inspectors that ship with `auditor`, installed as `auditor_plugins`.

What belongs here: plugins, each in a file of its kind's folder. They import `auditor.plugins` and what they compute
with, exactly as a stranger's package would. Nothing may import them; they are found by their entry points.
"""
