"""Studies of models that keep learning: how long backdoors survive updates, over what an adversary and a client choose.

What belongs here: what `auditor study` does, without how its results are shown. It imports `audit` and what stands
lower, and the parts of `experiments` that all experiments share; `report` and `cli` import it.
"""
