"""What a provider executes: a model, data, and k steps from one checkpoint to the next.

PyTorch lives here; the network and the screen do not.
"""
