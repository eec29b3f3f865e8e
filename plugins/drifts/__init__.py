"""What changes data as time goes by, one a file.

What belongs here: subclasses of `auditor.plugins.Drift`, and what they compute with. Only their entry points and tests
import them.
"""
