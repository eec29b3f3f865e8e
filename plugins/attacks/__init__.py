"""Adversaries to simulate, one a file."""
