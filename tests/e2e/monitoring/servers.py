"""Real servers of the monitoring on free ports of this machine: Prometheus, Alertmanager, and a webhook that keeps what it is told."""

import json
import shutil
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import yaml

from tests.absent import needed
from tests.polling import until

__all__ = ["Alertmanager", "Prometheus", "Webhook", "alertmanager", "free_port", "prometheus", "webhook"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, url):
        self.url = url

    @property
    def address(self):
        return self.url.removeprefix("http://")

    def get(self, path, **params):
        return httpx2.get(f"{self.url}{path}", params=params, timeout=30)


class Prometheus(Server):
    def answer(self, path, **params):
        """`data` of an answer; the server's own words where it refuses."""
        answer = self.get(f"/api/v1/{path}", **params)
        assert answer.is_success, f"{params}: {answer.text}"
        return answer.json()["data"]

    def query(self, text, at=None):
        """The one number that the query gives; None where it gives nothing."""
        found = self.answer("query", query=text, **({"time": at} if at else {}))["result"]
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def until(self, text, wanted):
        until(lambda: self.query(text) == wanted, why=lambda: f"{text} is {self.query(text)}, not {wanted}")

    def rules(self):
        """Every rule of every group, with the file it is from."""
        groups = self.answer("rules")["groups"]
        return [{**rule, "file": group["file"], "group": group["name"]} for group in groups for rule in group["rules"]]


class Alertmanager(Server):
    def alerts(self):
        return self.get("/api/v2/alerts").raise_for_status().json()


class Webhook(Server):
    """`alerts` are all that came, each time they came, oldest first."""

    def __init__(self, url):
        super().__init__(url)
        self.alerts = []

    def found(self, name, status):
        return [each for each in list(self.alerts) if each["labels"]["alertname"] == name and each["status"] == status]


@contextmanager
def _running(command, log, server):
    """A server's process until it is ready, and its orderly end."""
    with log.open("wb") as words:
        process = subprocess.Popen(command, stdout=words, stderr=words)
    try:

        def ready():
            assert process.poll() is None, log.read_text()
            try:
                return server.get("/-/ready").is_success
            except httpx2.HTTPError:
                return False

        until(ready, why=log.read_text)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _program(name, fallback):
    needed(name)
    return shutil.which(name) or fallback


@contextmanager
def prometheus(folder, config, *options):
    """A Prometheus with this configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(json.dumps(config))
    server = Prometheus(f"http://127.0.0.1:{free_port()}")
    command = [
        _program("prometheus", "/usr/bin/prometheus"), f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data", f"--web.listen-address={server.address}", *options,
    ]  # fmt: skip
    with _running(command, folder / "prometheus.log", server):
        yield server


@contextmanager
def alertmanager(folder, config):
    """An Alertmanager with this configuration, alone: it looks for no others."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    server = Alertmanager(f"http://127.0.0.1:{free_port()}")
    command = [
        _program("prometheus-alertmanager", "/usr/bin/prometheus-alertmanager"),
        f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
        f"--web.listen-address={server.address}", "--cluster.listen-address=",
    ]  # fmt: skip
    with _running(command, folder / "alertmanager.log", server):
        yield server


@contextmanager
def webhook():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.alerts += body["alerts"]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """It keeps the alerts, and says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        heard = Webhook(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield heard
        server.shutdown()
        thread.join()
