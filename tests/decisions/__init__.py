"""Tests of `auditor.decisions`."""
