"""What looks at one model alone, one a file.

What belongs here: subclasses of `auditor.plugins.Inspector`, and what they compute with. Only their entry points and
tests import them.
"""
