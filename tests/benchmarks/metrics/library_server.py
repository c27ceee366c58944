"""python -m tests.benchmarks.metrics.library_server PORT COUNT: the same finished jobs, served by prometheus_client's own HTTP server."""

import sys
import threading

from prometheus_client import CollectorRegistry, start_http_server

from tests.benchmarks.metrics.jobs import make_jobs
from tests.unit.collectors.library import library_families


class Ready:
    """The families are made once: a scrape pays for the library's work alone."""

    def __init__(self, jobs):
        self.families = library_families(jobs)

    def collect(self):
        return self.families


if __name__ == "__main__":
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Ready(make_jobs(int(sys.argv[2]))))
    start_http_server(int(sys.argv[1]), addr="127.0.0.1", registry=registry)
    threading.Event().wait()
