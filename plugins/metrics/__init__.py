"""Distances between returned models, one a file."""
