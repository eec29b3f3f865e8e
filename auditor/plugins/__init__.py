"""The API that attacks and metrics implement, and how installed ones are found.

A plugin is a class, named in the entry-point group of its kind (`auditor.attacks` or `auditor.metrics`). It may
import everything named here, and nothing else of `auditor`:

    from auditor.plugins import Attack, Metric, Options, ReturnedModel
"""

from auditor.plugins.attack import Attack, AttackContext, Batch, HonestTwin, Recipe, TrainedNetwork
from auditor.plugins.discovery import Installed, PluginError, create_plugin, installed, load_plugin
from auditor.plugins.metric import Comparison, Metric, MetricContext, ModelOutline, ReturnedModel
from auditor.plugins.noise import NoiseFloor
from auditor.plugins.options import Options, option
from auditor.plugins.randomness import generator
from auditor.plugins.wrapper import AttackWrapper, WrapperOptions

__all__ = [
    "Attack",
    "AttackContext",
    "AttackWrapper",
    "Batch",
    "Comparison",
    "HonestTwin",
    "Installed",
    "Metric",
    "MetricContext",
    "ModelOutline",
    "NoiseFloor",
    "Options",
    "PluginError",
    "Recipe",
    "ReturnedModel",
    "TrainedNetwork",
    "WrapperOptions",
    "create_plugin",
    "generator",
    "installed",
    "load_plugin",
    "option",
]
