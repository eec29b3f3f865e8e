"""Tests of `auditor.store`."""
