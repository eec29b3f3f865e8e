"""The API that attacks, drifts, metrics and inspectors implement, and how they are found.

A plugin is a class, named in the entry-point group of its kind (`auditor.attacks`, `auditor.drifts`, `auditor.metrics`
or `auditor.inspectors`) or defined in a single file that a user names. It may import everything named here, and nothing
else of `auditor`:

    from auditor.plugins import Attack, Metric, Options, ReturnedModel

What belongs here: what plugins implement, and how they are found, loaded, described and checked. Nothing here trains a
model or knows an audit. It imports `job` and `base`; `tasks` and what stands higher may import it.
"""

from auditor.base.randomness import generator
from auditor.plugins.attack import Attack, AttackContext, Batch, HonestTwin, Recipe, TrainedNetwork
from auditor.plugins.catalogue import Catalogue, Origin, PluginError, create_plugin, installed, load_plugin
from auditor.plugins.drift import Drift, DriftContext
from auditor.plugins.inspector import Inspection, Inspector
from auditor.plugins.metric import (
    EVERY_TASK,
    Comparison,
    Metric,
    MetricContext,
    ModelOutline,
    Part,
    ReturnedModel,
    fits,
)
from auditor.plugins.options import Options, option
from auditor.plugins.text import PADDING, Tokenizer
from auditor.plugins.wrapper import AttackWrapper, WrapperOptions

__all__ = [
    "EVERY_TASK",
    "PADDING",
    "Attack",
    "AttackContext",
    "AttackWrapper",
    "Batch",
    "Catalogue",
    "Comparison",
    "Drift",
    "DriftContext",
    "HonestTwin",
    "Inspection",
    "Inspector",
    "Metric",
    "MetricContext",
    "ModelOutline",
    "Options",
    "Origin",
    "Part",
    "PluginError",
    "Recipe",
    "ReturnedModel",
    "Tokenizer",
    "TrainedNetwork",
    "WrapperOptions",
    "create_plugin",
    "fits",
    "generator",
    "installed",
    "load_plugin",
    "option",
]
