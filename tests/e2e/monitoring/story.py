"""What happens once, before anything is asked: jobs come, alerts fire, jobs end, the worker dies and comes again.

Prometheus remembers all of it, so each test asks about the moment that it needs, in any order.
"""

import signal
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import httpx2

from prometheus.generator.__main__ import rule_files
from prometheus.generator.thresholds import THRESHOLDS, Duration
from tests.e2e.monitoring import configuration, jobs, servers
from tests.e2e.monitoring.provoked import ORPHANS_REMOVED, PROVOKED, WORKER_DOWN, WORKER_RESTARTED
from tests.e2e.monitoring.scene import WORKER, Scene, play, scene

__all__ = ["HURRIED", "Story", "story"]

HURRIED = replace(
    THRESHOLDS.faster(60),
    pending=Duration(8), building=Duration(8), stalled=Duration(8), gpu_idle=Duration(8), cpu_throttled=Duration(5),
    queue_saturated=Duration(5), failure_window=Duration(15), timeout=0.5,
)  # fmt: skip
"""Minutes become seconds, and half an hour less than half a minute. Shares stay what they are, but for that of a timeout, which time uses up."""
PATIENCE = 45
"""Seconds for all alerts together. Nothing fails when they are over: the tests say of each alert what is missing."""


@dataclass
class Story:
    scene: Scene
    shipped: servers.Prometheus
    """With the rules as they are shipped."""
    hurried: servers.Prometheus
    """With the same rules for shorter times; it talks to the Alertmanager."""
    alertmanager: servers.Alertmanager
    webhook: servers.Webhook
    begun: float
    full: float = 0.0
    """When all jobs had shown what they are there to show. Seconds since the epoch, as `begun`."""
    pages: dict[str, int] = field(default_factory=dict)
    """The answers of the job pages that alerts named, while they named them."""
    inhibited: list[dict] = field(default_factory=list)
    """The alerts of the Alertmanager when the worker was down."""

    def missing(self, name, status):
        """The jobs for which the alert should have been told with this status and was not; {None} where it is about the worker."""
        told = {each["labels"].get("job_id") for each in self.webhook.found(name, status)}
        return ({self.scene.ids[job] for job in PROVOKED[name]} or {None}) - told


def _patiently(done):
    deadline = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < deadline:
        time.sleep(0.1)


@contextmanager
def story(folder):
    with ExitStack() as stack:
        made = stack.enter_context(scene(folder))
        webhook = stack.enter_context(servers.webhook())
        alertmanager = stack.enter_context(
            servers.alertmanager(folder / "alertmanager", configuration.alertmanager(webhook=webhook.url))
        )

        def started(name, rules, **more):
            config = configuration.prometheus(rules=rules, worker=WORKER, target=made.address, **more)
            return stack.enter_context(servers.prometheus(folder / name, config, "--rules.alert.resend-delay=1s"))

        shipped = started("shipped", sorted((configuration.PROMETHEUS / "rules").glob("*.yml")))
        hurried = started("hurried", _written(folder / "rules", HURRIED), alertmanager=alertmanager.address)
        told = Story(made, shipped, hurried, alertmanager, webhook, time.time())
        for each in (shipped, hurried):
            each.until("sum(fluster_jobs_finished_total)", 0)  # the zeros from the start: increases begin there
        _tell(told)
        yield told


def _written(folder, thresholds):
    folder.mkdir()
    for name, content in rule_files(thresholds).items():
        (folder / name).write_text(content)
    return sorted(folder.iterdir())


def _tell(told):
    play(told.scene)
    _patiently(lambda: _all(told, "firing"))
    told.full = time.time()
    for alert in list(told.webhook.alerts):
        address = alert["annotations"].get("job_page")
        if address and address not in told.pages:
            told.pages[address] = httpx2.get(address).status_code
    told.scene.end(*(name for name in told.scene.ids if not told.scene.job(name)["finished_at"]))
    _patiently(lambda: _all(told, "resolved"))
    _lose_the_worker(told)


def _all(told, status):
    return all(told.missing(name, status) == set() for name in PROVOKED)


def _lose_the_worker(told):
    """It dies just after a job failed, and comes again."""
    told.scene.submit(jobs.LAST)
    failed = told.scene.ids["failing-again"]
    _patiently(lambda: failed in {each["labels"].get("job_id") for each in told.alertmanager.alerts()})
    told.scene.stop(signal.SIGKILL)
    told.scene.leave_behind()

    def seen():
        told.inhibited = told.alertmanager.alerts()
        return any(each["status"]["state"] == "suppressed" for each in told.inhibited)

    _patiently(seen)
    told.scene.start()
    about_the_worker = (WORKER_DOWN, WORKER_RESTARTED, ORPHANS_REMOVED)
    _patiently(lambda: all(told.webhook.found(name, "resolved") for name in about_the_worker))
