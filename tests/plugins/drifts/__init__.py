"""Tests of the drifts that ship with auditor."""
