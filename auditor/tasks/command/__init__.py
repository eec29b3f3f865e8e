"""Tasks that a client's own program executes: files in, files out.

What belongs here: what starts the program and bounds it, what its files hold, and the learner and the program of the
kind. It imports the rest of `tasks` and what stands lower; nothing imports it, and the job's kind of task names its
program.
"""
