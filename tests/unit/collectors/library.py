"""The same data as prometheus_client has it, rendered and read back by the library itself."""

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest as library_text
from prometheus_client.openmetrics.exposition import generate_latest as library_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from fluster.collectors.jobs import JOB_FAMILIES, LabelledJobFamily
from fluster.collectors.text import Format

RENDER = {Format.TEXT: library_text, Format.OPENMETRICS: library_openmetrics}
READ = {Format.TEXT: read_text, Format.OPENMETRICS: read_openmetrics}


class Registry:
    """What generate_latest wants: something that collects."""

    def __init__(self, families):
        self.families = list(families)

    def collect(self):
        return self.families


def library_families(jobs):
    """JOB_FAMILIES of these jobs as families of the library."""
    found = []
    for family in JOB_FAMILIES:
        metric = family.metric
        kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
        made = kind(metric.family, metric.help, labels=metric.labels, unit=metric.unit)
        chosen = [job for job in jobs if not (family.live and job.state.terminal)]
        for job in chosen:
            for labels, value in _rows(family, job):
                if value is not None:
                    made.add_metric((job.id, *labels), value)
        found.append(made)
    return found


def _rows(family, job):
    """Label values after the job's id, and the value, of each series that this job may have."""
    if isinstance(family, LabelledJobFamily):
        return family.rows(job)
    return [(series.labels, series.value(job)) for series in family.series]


def read(text, form):
    """All of an exposition: name -> type, help, unit and the samples, whose order says nothing; numbers as Prometheus keeps them."""
    return {
        family.name: (
            family.type,
            family.documentation,
            family.unit,
            sorted((sample.name, sorted(sample.labels.items()), float(sample.value)) for sample in family.samples),
        )
        for family in READ[form](text)
    }
