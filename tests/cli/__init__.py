"""Tests of `auditor.cli`."""
