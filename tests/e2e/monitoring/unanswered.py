"""What rightly gives nothing in this story, and why. A query that stands here and answers nevertheless is a failure too."""

__all__ = ["NOT_RECORDED", "UNANSWERED"]

NOT_RECORDED = {}
"""Recording rules by name."""

UNANSWERED = {}
"""Queries of dashboards by `dashboard: panel: ref`."""
