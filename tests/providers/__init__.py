"""Tests of `auditor.providers`."""
