"""A provider that computes in a lower precision than the job asks for."""

from __future__ import annotations

from dataclasses import replace

from auditor.plugins import Attack, Recipe


class Precision(Attack):
    """Trains in bfloat16 mixed precision whatever the job says: about twice as fast, and not what was asked for.

    It has no backdoor; where the job asks for bf16 itself it is honest. Mixed precision is that of Micikevicius et
    al., "Mixed precision training" (ICLR 2018), with bfloat16 (Kalamkar et al., arXiv 1905.12322).
    """

    name = "precision"
    tasks = frozenset({"vision", "text"})

    def on_recipe(self, recipe: Recipe, step: int) -> Recipe:
        """The recipe, in bf16."""
        return replace(recipe, precision="bf16")
