"""Tests of `auditor.plugins`."""
