"""What survives a crash: one SQLite database for runs, events and providers, and a folder of blobs named by digest.

What belongs here: where things are kept, and who may read them. What an event means belongs to `audit`. It imports
`base` alone; `providers` and what stands higher may import it.
"""

from auditor.store.blobs import BlobError, BlobFolder
from auditor.store.database import Store
from auditor.store.errors import DamagedRun, StoreError, UnknownRun
from auditor.store.records import Action, EventRecord, RegisteredProvider, RunRecord

__all__ = [
    "Action",
    "BlobError",
    "BlobFolder",
    "DamagedRun",
    "EventRecord",
    "RegisteredProvider",
    "RunRecord",
    "Store",
    "StoreError",
    "UnknownRun",
]
