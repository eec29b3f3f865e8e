"""Bundled metrics, ready to compare the models of `tests.plugins.models`."""

from __future__ import annotations

from typing import Any

from auditor.plugins import Metric, MetricContext, ReturnedModel, create_plugin
from tests.plugins.models import CONTEXT


def begun(name: str, context: MetricContext = CONTEXT, **options: Any) -> Metric[Any]:
    """A metric with these options that was told of the job."""
    metric = create_plugin("metrics", name, options)
    metric.begin(context)
    return metric


def distance(metric: Metric[Any], one: ReturnedModel, other: ReturnedModel) -> float:
    """The distance of two models."""
    return metric.distance(metric.represent(one), metric.represent(other))
