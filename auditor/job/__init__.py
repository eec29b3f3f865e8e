"""What the user asks for: the job file, its validation, the plan and its cost.

Nothing here knows PyTorch, the network or a screen, so that planning an audit is instant.
"""

from auditor.job.errors import JobError, Problem
from auditor.job.loading import load_job, parse_job
from auditor.job.model import Audit, Job, PluginUse, Provider
from auditor.job.plan import Plan, make_plan
from auditor.job.plugin_file import PluginFile
from auditor.job.task import Task
from auditor.job.training import Training

__all__ = [
    "Audit",
    "Job",
    "JobError",
    "Plan",
    "PluginFile",
    "PluginUse",
    "Problem",
    "Provider",
    "Task",
    "Training",
    "load_job",
    "make_plan",
    "parse_job",
]
