"""Measuring what an audit would catch: pools of trained models, committees drawn from them, rates."""
