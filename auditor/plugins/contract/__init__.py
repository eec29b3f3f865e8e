"""What every plugin must hold to, as tests that its author subclasses.

The tests practise on a small real job: `Practice` says what they need of it, and whoever can train provides one
under the entry-point group `auditor.practice`.
"""

from auditor.plugins.contract.attack import AttackContract
from auditor.plugins.contract.inspector import InspectorContract
from auditor.plugins.contract.metric import MetricContract
from auditor.plugins.contract.practice import Practice, open_practice

__all__ = ["AttackContract", "InspectorContract", "MetricContract", "Practice", "open_practice"]
