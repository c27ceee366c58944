"""Grafana's dashboards as typed Python: `python -m grafana.generator` writes grafana/dashboards and their pictures in docs/dashboards."""
