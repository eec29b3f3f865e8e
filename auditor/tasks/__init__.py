"""What a provider executes: a model, data, and k steps from one checkpoint to the next.

What belongs here: checkpoints, how state is trained and evaluated, datasets and models. PyTorch lives here; the network
and the screen do not. It imports `plugins` and `job`; `providers`, `audit` and `experiments` import it.
"""
