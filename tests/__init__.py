"""Tests of `auditor` through its public surface."""
