"""Inherited test classes: one for each contract that something in auditor can implement."""
