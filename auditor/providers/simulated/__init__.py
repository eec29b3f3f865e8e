"""Providers that train nothing: they speak the protocol and return checkpoints that are drawn at random.

They drive the engine, the store and the interface with more providers and sub-runs than a machine could train.
Nothing here imports PyTorch.
"""
