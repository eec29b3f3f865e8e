"""The heart: one audit from its first event to its verdicts.

What belongs here: the session of an audit and its parts (the primary's training, replication, comparison, conclusion),
checkpoints, the client's own computing, and the record: events, the state that they fold into, the journal. How a
decision reasons belongs to `decisions`, what an audit will cost to `planning`, how a provider is reached to
`providers`. It imports these, `tasks`, `store`, `plugins`, `job` and `base`; `experiments`, `report` and the faces
import it, the faces only its record.
"""
