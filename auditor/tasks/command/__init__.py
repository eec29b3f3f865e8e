"""Tasks that a client's own program executes: files in, files out.

What belongs here: what starts the program and bounds it, what its files hold, and the learner and the program of the
kind. It imports `auditor.job`, `auditor.plugins` and the rest of `tasks`; `auditor.tasks.program` finds it by its name.
"""
