"""Tests of the metrics that ship with auditor."""
