"""Tests of `auditor.base`."""
