"""Providers that train nothing: they speak the protocol and return checkpoints that are drawn at random.

They drive the engine, the store and the interface with more providers and sub-runs than a machine could train. What
belongs here: how a checkpoint is drawn, the process that serves them, and what starts it. It imports the rest of
`providers` and no PyTorch; the launchers of `providers` import it.
"""
