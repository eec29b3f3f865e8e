"""What can go wrong while preparing or executing training."""


class TrainingError(Exception):
    """Training cannot be done as asked: data that is not there, a model that does not fit, and so on."""


class CheckpointError(Exception):
    """Bytes that are not the checkpoint they should be."""


class Cancelled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The run was cancelled between two steps."""
