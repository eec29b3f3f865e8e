"""Tests of `auditor.planning`."""
