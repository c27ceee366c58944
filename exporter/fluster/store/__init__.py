"""The state of a worker on disk: SQLite, durable before visible. Knows jobs as documents, not what their transitions mean."""

from fluster.store.lock import StateLock, WorkerIdLock
from fluster.store.store import Store

__all__ = ["StateLock", "Store", "WorkerIdLock"]
