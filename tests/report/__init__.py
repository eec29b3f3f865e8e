"""Tests of what is written about runs."""
