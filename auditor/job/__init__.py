"""What the user asks for: the job file, and its validation.

What belongs here: the keys of a job file, what they allow, and errors that name the line. Nothing here knows PyTorch,
the network or a screen, so that reading a job is instant. It imports `base`; every other folder may import it.
"""

from auditor.job.audit import Audit
from auditor.job.errors import JobError, Problem
from auditor.job.job_file import load_job, parse_job
from auditor.job.model import Job
from auditor.job.plugin_file import PluginFile
from auditor.job.plugin_use import PluginUse
from auditor.job.provider import Provider
from auditor.job.task import Task
from auditor.job.training import Training

__all__ = [
    "Audit",
    "Job",
    "JobError",
    "PluginFile",
    "PluginUse",
    "Problem",
    "Provider",
    "Task",
    "Training",
    "load_job",
    "parse_job",
]
