"""The theory of how poisoning fades, for strongly convex losses, beside what fine-tuning does.

What belongs here: regularised logistic regression, its exact minimisers, the bounds, and the study of them. It imports
NumPy, SciPy, `job` and `base`, and what tells progress; `report` and `cli` import it.
"""
