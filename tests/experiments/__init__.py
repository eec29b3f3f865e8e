"""Tests of `auditor.experiments`."""
