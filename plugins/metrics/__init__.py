"""Distances between returned models, one a file.

What belongs here: subclasses of `auditor.plugins.Metric`, and what several of them share. Only their entry points
and tests import them.
"""
