"""Bundles: zip files with the workspace of a job, fetched or uploaded, kept and extracted once by content."""

from fluster.bundles.store import BundleCounts, BundleStore

__all__ = ["BundleCounts", "BundleStore"]
