"""Adversaries to simulate, one a file.

What belongs here: subclasses of `auditor.plugins.Attack`, and what several of them share. Only their entry points
and tests import them.
"""
