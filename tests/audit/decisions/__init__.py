"""Tests of `auditor.audit.decisions`."""
