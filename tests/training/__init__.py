"""Tests of `auditor.training`."""
