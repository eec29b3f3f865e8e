"""Tests of `auditor.audit`."""
