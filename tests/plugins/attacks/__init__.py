"""Tests of the bundled attacks, each with the contract that it must hold to."""
