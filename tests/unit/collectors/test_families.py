"""Counters and histograms of our own hold what those of the library hold, and their text reads back."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Counter as LibraryCounter
from prometheus_client import Histogram as LibraryHistogram
from prometheus_client.registry import CollectorRegistry

from fluster.catalogue import CATALOGUE, Metric
from fluster.collectors.exposition import families_lines
from fluster.collectors.families import Counter, Families, Histogram
from fluster.collectors.text import Format, header, number
from tests.unit.collectors.library import RENDER, read


def families_text(families, form):
    return "".join(families_lines(families, form))


VALUES = st.floats(0, 1e15, allow_nan=False)
LABELS = st.text(max_size=8)


def without_created(families):
    """When a counter began is not told: it would double the series of a job for nobody's use."""
    return {
        name: (*facts, [sample for sample in samples if not sample[0].endswith("_created")])
        for name, (*facts, samples) in families.items()
        if not name.endswith("_created")
    }


@pytest.mark.parametrize("form", Format)
@given(observed=st.lists(st.tuples(VALUES, LABELS)), counted=st.lists(st.tuples(st.floats(0, 1e9), LABELS, LABELS)))
def test_counters_and_histograms_are_the_librarys(form, observed, counted):
    registry = CollectorRegistry()
    route, requests = CATALOGUE["fluster_http_request_duration_seconds"], CATALOGUE["fluster_http_requests_total"]
    bounds = (0.001, 1.0, 1024.0**2, 1024.0**4)
    theirs = LibraryHistogram(route.name, route.help, route.labels, buckets=bounds, registry=registry)
    ours = Histogram(route.name, bounds)
    for value, label in observed:
        theirs.labels(label).observe(value)
        ours.observe(value, label)
    their_counter = LibraryCounter(requests.family, requests.help, requests.labels, registry=registry)
    counter = Counter(requests.name)
    for value, first, second in counted:
        their_counter.labels(first, second).inc(value)
        counter.inc(first, second, by=value)
    text = families_text([ours, counter], form) + form.end
    found, wanted = read(text, form), without_created(read(RENDER[form](registry).decode(), form))
    for name, (kind, doc, _, samples) in wanted.items():
        assert found[name][0] == kind
        assert found[name][1] == doc
        assert found[name][3] == samples


def test_what_is_expected_is_there_at_zero_from_the_start():
    counter, histogram = Counter("fluster_jobs_finished_total"), Histogram("fluster_job_run_duration_seconds", (1.0,))
    counter.expect("succeeded", "completed")
    histogram.expect("failed")
    assert list(counter.samples()) == [("", ("succeeded", "completed"), 0)]
    assert list(histogram.samples()) == [
        ("_bucket", ("failed", "1.0"), 0),
        ("_bucket", ("failed", "+Inf"), 0),
        ("_count", ("failed",), 0),
        ("_sum", ("failed",), 0.0),
    ]
    counter.inc("succeeded", "completed")
    counter.expect("succeeded", "completed")
    assert list(counter.samples()) == [("", ("succeeded", "completed"), 1)]


def test_a_family_without_labels_is_there_at_zero_from_the_start():
    assert list(Counter("fluster_jobs_submitted_total").samples()) == [("", (), 0)]
    assert ("_count", (), 0) in list(Histogram("fluster_finished_job_cpu_seconds", (1.0,)).samples())


def test_threads_lose_no_count():
    counter, histogram = Counter("fluster_jobs_submitted_total"), Histogram("fluster_finished_job_cpu_seconds", (1.0,))

    def work():
        for _ in range(5000):
            counter.inc()
            histogram.observe(0.5)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(counter.samples()) == [("", (), 20000)]
    assert ("_count", (), 20000) in list(histogram.samples())


def test_only_what_the_catalogue_holds_can_be_told():
    with pytest.raises(KeyError):
        Families(("fluster_invented",))
    with pytest.raises(KeyError):
        Families(("fluster_slots",)).add("fluster_queue_limit", 1)
    families = Families(("fluster_jobs",))
    families.add("fluster_jobs", 1)
    with pytest.raises(ValueError, match="zip"):
        families_text(families, Format.TEXT)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.5, "1.5"),
        (2**60, "1152921504606846976"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (float("nan"), "NaN"),
    ],
)
def test_numbers_read_back(value, text):
    assert number(value) == text


def test_headers_differ_by_format():
    metric = Metric("fluster_x_seconds_total", "counter", 'a "quoted" \\ text\n', (), "seconds")
    assert header(metric, Format.TEXT) == (
        '# HELP fluster_x_seconds_total a "quoted" \\\\ text\\n\n# TYPE fluster_x_seconds_total counter\n'
    )
    assert header(metric, Format.OPENMETRICS) == (
        '# HELP fluster_x_seconds a \\"quoted\\" \\\\ text\\n\n# TYPE fluster_x_seconds counter\n# UNIT fluster_x_seconds seconds\n'
    )
