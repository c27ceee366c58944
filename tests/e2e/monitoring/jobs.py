"""The jobs of the scene: what each does, so that one thing and only that is to be seen of it."""

import io
import zipfile

__all__ = ["BLIND", "BUNDLES", "ENDED", "FLOOD", "LAST", "LIVE", "WAITING", "bundle", "wheel"]

CALM = """
import os, pathlib, sys, time
pathlib.Path(os.environ["FLUSTER_OUTPUT_DIR"], "model").write_bytes(bytes(4 << 20))
held = bytearray(os.urandom(1 << 20) * 8)
step = 0
while True:
    step += 1
    print("step", step, flush=True)
    print("loss", 1 / step, file=sys.stderr, flush=True)
    sum(range(300_000))
    pathlib.Path("read").write_bytes(bytes(4096))
    time.sleep(0.3)
"""
NEAR_MEMORY = """
import time
limit = 64 << 20
held = bytearray(1 << 20)
def anonymous():
    resident, shared = open("/proc/self/statm").read().split()[1:3]
    return (int(resident) - int(shared)) * 4096
while anonymous() < 0.94 * limit:
    held += bytes(1 << 19)
print("full", flush=True)
while True:
    print("still", flush=True)
    time.sleep(0.3)
"""
TALKING = "while :; do echo still; sleep 0.3; done"
"""The rest of a job that is to stand for one thing only: it is not silent."""
SLOW_BACKEND = """
import time

def build_wheel(folder, settings=None, metadata=None):
    print("compiling", flush=True)
    time.sleep(600)
"""
IN_TREE = (
    '[project]\nname = "slow"\nversion = "1.0"\n'
    '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
)
LIMITED = {"memory": "256m", "disk": "64m", "cpuMillicores": 1000, "maxProcesses": 64}
"""Limits of which a job of this scene uses a small part."""


def _shell(program, **resources):
    return {"command": ["sh", "-c", program], "resources": resources}


def _python(program, **resources):
    return {"command": ["python", "-c", program], "resources": resources}


ENDED = {
    "built": {**_shell("echo built; echo so >&2", **LIMITED), "bundle": "tiny", "timeoutSeconds": 600},
    "cached": {**_shell("echo cached", **LIMITED), "bundle": "tiny"},
    "failing": _shell("echo wrong >&2; exit 3"),
    "greedy": {"command": ["tail", "/dev/zero"], "resources": {"memory": "16m"}},
    **{f"unbuildable-{number}": {**_shell("true"), "bundle": "missing"} for number in (1, 2, 3)},
    "late": {**_shell("sleep 60"), "timeoutSeconds": 1},
    "unwanted": _shell("sleep 600"),
    "bereft": _shell("sleep 600"),
    "outsized": {**_shell("true"), "resources": {"memory": "900t"}},
}
"""Run to their ends before the others begin; `unwanted` is killed, and so is the supervisor process of `bereft`."""

LIVE = {
    "calm": {**_python(CALM, **LIMITED), "bundle": "tiny", "timeoutSeconds": 3600},
    "near-memory": _python(NEAR_MEMORY, memory="64m"),
    "near-processes": _shell(f"for i in $(seq 27); do sleep 600 & done; {TALKING}", maxProcesses=30),
    "near-disk": _shell(f'head -c 9900000 /dev/zero > "$FLUSTER_OUTPUT_DIR/file"; {TALKING}', disk="10m"),
    "throttled": _shell(
        "while :; do echo busy; i=0; while [ $i -lt 9000 ]; do i=$((i+1)); done; done", cpuMillicores=100
    ),
    "near-timeout": {**_shell(TALKING), "timeoutSeconds": 20},
    "stalled": _shell("echo the last word; sleep 600"),
    "idle-gpu": _shell(TALKING, gpus=1),
    "lost-child": _shell(f"sleep 3; tail /dev/zero; {TALKING}", memory="16m"),
    "slow-build": {**_shell("true"), "bundle": "slow"},
}
"""They hold all slots but those of FLOOD and BLIND, until the scene ends them; `near-timeout` may end by itself."""

LAST = {"failing-again": _shell("exit 4")}
"""Fails when the worker is soon to be gone."""

FLOOD = {"flood": _shell('seq 200000; echo "the newest line is kept"; ' + TALKING)}
"""Writes more than a log may hold."""

BLIND = {"blind-gpu": _shell(TALKING, gpus=1)}
"""Its GPU stops to answer."""

WAITING = {"waiting-1": _shell(TALKING), "waiting-2": _shell(TALKING)}
"""They fill the queue."""

BUNDLES = {
    "tiny": {"requirements.txt": "tiny\n", "main.py": "print('main')\n"},
    "missing": {"requirements.txt": "not-on-this-machine==1.0\n"},
    "slow": {"pyproject.toml": IN_TREE, "backend.py": SLOW_BACKEND},
}


def bundle(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def wheel(folder):
    """The package tiny, found without an index."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as made:
        made.writestr("tiny.py", "")
        made.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        made.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr("tiny-1.0.dist-info/RECORD", "")
