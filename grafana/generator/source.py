"""The datasources, by the fixed uids that grafana/provisioning gives them."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.models.dashboard import DataSourceRef

__all__ = ["LOKI", "PROMETHEUS"]

PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="fluster-prometheus")
LOKI: Final = DataSourceRef(type_val="loki", uid="fluster-loki")
