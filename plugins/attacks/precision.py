"""A provider that computes in a lower precision than the job asks for."""

from __future__ import annotations

from dataclasses import replace

from auditor.plugins import Attack, Recipe


class Precision(Attack):
    """Trains in bfloat16 mixed precision, whatever precision the job asks for. That is about twice as fast.

    It has no backdoor. In a job that asks for bf16 it is honest. Mixed precision is that of Micikevicius et
    al., "Mixed precision training" (ICLR 2018), with bfloat16 (Kalamkar et al., arXiv 1905.12322).
    """

    name = "precision"
    tasks = frozenset({"vision", "text", "python"})

    def on_recipe(self, recipe: Recipe, step: int) -> Recipe:
        """The recipe, in bf16."""
        return replace(recipe, precision="bf16")
