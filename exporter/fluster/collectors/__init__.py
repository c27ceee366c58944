"""What /metrics shows, as text from what is in memory."""

from fluster.collectors.exposition import Exposition, create_exposition
from fluster.collectors.text import Format

__all__ = ["Exposition", "Format", "create_exposition"]
