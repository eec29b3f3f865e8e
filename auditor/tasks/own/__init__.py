"""Tasks that the client's own Python code defines.

What belongs here: what that code returns, how its files are laid out and imported, and how its network is trained. It
imports the rest of `tasks` and what stands lower; nothing imports it, and the job's kind of task names its program.
"""
