import os

from fluster.cri import CriWriter
from fluster.job import LogCounts
from fluster.logs import LogStore
from fluster.logs.retention import Retention


def test_live_counts_are_those_of_the_files_as_they_grow(tmp_path):
    store = LogStore(tmp_path)
    store.create("j")
    counts = store.live_counts("j")
    assert counts.read() == LogCounts() == store.counts("j")
    with CriWriter(store.build_path("j")) as build:
        build.line("one", timestamp_ns=5)
    assert counts.read() == store.counts("j")
    assert counts.read().lines == {"build": 1}
    with CriWriter(store.job_path("j")) as log:
        log.write("stderr", 7, b"x\ny\n")
        log.flush_tails()
        assert counts.read() == store.counts("j")
    assert counts.read().lines == {"build": 1, "stdout": 0, "stderr": 2}
    assert counts.read().last_timestamp_ns == 8
    assert counts.read() is counts.read()
    counts.close()
    counts.close()
    assert counts.read().lines["stderr"] == 2


def test_no_descriptor_stays_open(tmp_path):
    store = LogStore(tmp_path)
    store.create("j")
    with CriWriter(store.job_path("j")) as log:
        log.line("x")
    before = len(os.listdir("/proc/self/fd"))
    counts = store.live_counts("j")
    counts.read()
    counts.close()
    counts.read()
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_a_limit_drops_of_a_log_that_is_silent_is_counted(tmp_path):
    store = LogStore(tmp_path)
    store.create("j")
    counts = store.live_counts("j")
    with CriWriter(store.job_path("j"), segment_bytes=500) as log:
        for number in range(100):
            log.line(f"{number}", timestamp_ns=5)
        assert counts.read().retired["stdout"] == 0
        Retention(store.root, limit_bytes=1, keep_seconds=10**9).tend({"j"})
        assert counts.read() == store.counts("j")
        assert counts.read().retired["stdout"] > 50
    counts.close()
