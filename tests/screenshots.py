"""Takes the pictures of the two pages for the README, light and dark: a worker of its own runs some jobs, a real browser looks at them.

make screenshots
"""

import io
import sys
import tempfile
import zipfile
from pathlib import Path

import httpx2
from playwright.sync_api import sync_playwright

from tests.benchmarks.worker import started
from tests.polling import until

IMAGES = Path(__file__).resolve().parent.parent / "docs/images"
TRAIN = """
import itertools, random, sys, time
held, shuffle = [], random.Random(7)
print("\\x1b[1mtraining\\x1b[0m on 2 shards, batch 64", flush=True)
for step in itertools.count(1):
    held.append(bytearray(2 << 20 if step % 3 else 1 << 19))
    sum(n * n for n in range(shuffle.randrange(20_000, 600_000)))
    print(f"step {step:4}  loss \\x1b[36m{3 / step ** 0.3 + shuffle.random() / 9:.4f}\\x1b[0m  {64 / 0.12:.0f} samples/s", flush=True)
    if step % 25 == 0:
        print(f"\\x1b[33mgradient norm above 10 in step {step}, clipped\\x1b[0m", file=sys.stderr, flush=True)
    if len(held) > int(sys.argv[2]):
        held.clear()
    time.sleep(0.06)
"""
BROKEN = """
import csv, sys, time
for row in range(1, 400):
    print("row", row, "imported")
print("reading shard 17 of 64", file=sys.stderr)
raise ValueError("row 400: expected 12 columns, found 11")
"""
FILES = {"train.py": TRAIN, "import_orders.py": BROKEN}
ENV = {"HF_TOKEN": "secret", "MODE": "fast", "SHARDS": "2"}


def bundle(worker):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    return httpx2.put(f"{worker.url}/api/bundles", content=packed.getvalue()).raise_for_status().json()["sha256"]


def jobs(worker):
    """Of every kind; the one that is looked at runs last."""
    code = {"bundleSha256": bundle(worker)}
    worker.submit("sh", "-c", "for i in 1 2 3; do echo part $i; done", name="nightly-report")
    worker.submit("python", "import_orders.py", name="import-orders", resources={"memory": "256m"}, **code)
    worker.submit("sleep", "60", name="fetch-weather", timeoutSeconds=2)
    worker.submit("sh", "-c", "exit 3", name="smoke-test")
    limits = {"memory": "96m", "cpuMillicores": 800, "maxProcesses": 32}
    oom = worker.submit("python", "train.py", "--keep", "1000000", name="train-large", resources=limits, **code)
    asked = worker.submit("sleep", "600", name="serve-preview")
    worker.until([asked], "running")
    worker.ask(f"/api/jobs/{asked}/kill?grace_ms=0", {})
    limits = {"memory": "256m", "cpuMillicores": 1500, "maxProcesses": 64, "disk": "1g"}
    train = worker.submit(
        "python", "train.py", "--keep", "110", name="train-resnet", resources=limits, timeoutSeconds=3600, environment={"envVars": ENV}, **code
    )  # fmt: skip
    worker.submit("python", "train.py", "--keep", "30", name="embed-articles", resources={"memory": "128m"}, **code)
    for number in range(3):
        worker.submit("sleep", "600", name=f"shard-{number}")
    until(lambda: worker.job(oom)["finished_at"] is not None)
    until(lambda: len(worker.job(train)["samples"]) > 200, seconds=120)
    return train, oom


def main(folder):
    with tempfile.TemporaryDirectory() as home, started(
        Path(home), runtime="process", worker_id="gpu-box-1", max_jobs=3, stats_interval="200ms"
    ) as worker, sync_playwright() as playwright:  # fmt: skip
        train, oom = jobs(worker)
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})
            for name, address in (("list", "/"), ("job", f"/job/{train}"), ("failed", f"/job/{oom}")):
                page.goto(worker.url + address)
                page.locator("html.live").wait_for()
                page.wait_for_timeout(1200)  # so that durations and curves are those of a page that is looked at
                page.screenshot(path=folder / f"{name}-{scheme}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
