"""Tests of `auditor.tasks`."""
