"""What every plugin must hold to, as tests that its author subclasses.

The tests practise on a small real job. `Practice` says what they need of it, and an entry point in the group
`auditor.practice` provides one for each kind of task.

What belongs here: one contract a file, for each kind of plugin, and the practice that they share. It imports the rest
of `plugins`; authors' tests, `auditor.plugins.contract_check` and the practice jobs in `tasks` import it.
"""

from auditor.plugins.contract.attack import AttackContract
from auditor.plugins.contract.drift import DriftContract
from auditor.plugins.contract.inspector import InspectorContract
from auditor.plugins.contract.metric import MetricContract
from auditor.plugins.contract.practice import Practice, open_practice

__all__ = ["AttackContract", "DriftContract", "InspectorContract", "MetricContract", "Practice", "open_practice"]
