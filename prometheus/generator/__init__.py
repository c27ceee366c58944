"""The rules that Prometheus evaluates, as typed Python: `python -m prometheus.generator` writes prometheus/rules."""
