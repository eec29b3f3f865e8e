"""Tests that the documents say what is so, and the program that writes those that code knows."""
