"""The heart: one audit from its first event to its verdicts.

What belongs here: the engine, the training of the primary, replication, checkpoints, distances, and the record of it
all: events and the state that they fold into. It prints nothing and knows no screen. It imports `planning` and what
stands lower; `experiments` and what stands higher may import it.
"""
