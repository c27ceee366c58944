"""Prometheus families from what is in memory: nothing here reads a file, asks an engine or waits."""

from fluster.collectors.exposition import Exposition, create_exposition

__all__ = ["Exposition", "create_exposition"]
