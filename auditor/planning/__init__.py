"""What an audit will do, cost and catch, computed before anything is started.

What belongs here: which decision judges a job, the plan and its prices, the chances of catching somebody, measured
power, and the audits that are proposed for a wish. It starts nothing and needs no PyTorch. It imports `decisions` and
`job`; `audit` and what stands higher import it.
"""

from auditor.planning.choice import Choice, choose
from auditor.planning.plan import Plan, make_plan

__all__ = ["Choice", "Plan", "choose", "make_plan"]
