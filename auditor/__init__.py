"""`auditor` finds out which cloud provider did not train the model it was paid to train.

What belongs here: the version, and the layers. Each folder may import only from those below it in this list:

- `cli` and `tui`: the faces, which show what happens and decide nothing;
- `report`: a run as text or JSON, and a benchmark as tables, plots and a page;
- `experiments`: how often verdicts are right, measured with models that are trained for it;
- `audit`: the heart: the engine, replication, checkpoints, and the record of events and state;
- `planning`: what an audit will do, cost and catch;
- `providers`: how a sub-run gets executed somewhere else;
- `store` and `tasks`: what survives a crash, and what a provider executes;
- `plugins` and `decisions`: what attacks, drifts, metrics and inspectors implement, and the rules that judge distances;
- `job`: what the user asks for;
- `base`: random draws, hostile text, files that users name.
"""

__version__ = "0.1.0"
