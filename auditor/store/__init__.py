"""What survives a crash: one SQLite database for runs and events, and a folder of blobs named by digest."""

from auditor.store.blobs import BlobError, BlobFolder
from auditor.store.database import Store, StoreError, UnknownRun
from auditor.store.records import EventRecord, RunRecord

__all__ = ["BlobError", "BlobFolder", "EventRecord", "RunRecord", "Store", "StoreError", "UnknownRun"]
