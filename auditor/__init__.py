"""`auditor` finds out which cloud provider did not train the model it was paid to train.

The package is layered; each folder imports only from those below it:

- `cli` and `tui`: the faces, which show what happens and decide nothing;
- `report`: a run as text or JSON, and a benchmark as tables, plots and a page;
- `bench`: how often verdicts are right, measured with models that are trained for it;
- `audit`: the heart: engine, events, state, distances, decisions, verdicts;
- `providers`: how a sub-run gets executed somewhere else;
- `store` and `training`: what survives a crash, and what a provider executes;
- `plugins`: what attacks, metrics and inspectors implement;
- `job`: what the user asks for.
"""

__version__ = "0.1.0"
