"""Measuring what an audit would catch: pools of trained models, committees drawn from them, rates.

What belongs here: what `auditor bench` does, without how its results are shown. It imports `audit` and what stands
lower; `report` and `cli` import it.
"""
