"""Tests of the inspectors that ship with auditor."""
