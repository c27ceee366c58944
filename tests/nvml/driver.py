"""A GPU driver without GPUs: libnvidia-ml.so.1 of stub.c, which pynvml loads as it loads the real one."""

import ctypes
import os
import subprocess
from pathlib import Path

__all__ = ["Driver", "compiled"]

GIB = 1024**3


def compiled(folder):
    """The library, below its own name: once it is loaded, it is the one that everybody in this process gets."""
    library = folder / "libnvidia-ml.so.1"
    command = [
        "gcc",
        "-std=c11",
        "-D_GNU_SOURCE",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-shared",
        "-fPIC",
        "-Wl,-soname,libnvidia-ml.so.1",
    ]
    subprocess.run([*command, "-o", library, Path(__file__).with_name("stub.c")], check=True)
    return library


class Driver:
    """What NVML tells from now on: `gpus` by uuid, each (memory used in bytes, percent busy, mode)."""

    def __init__(self, library, script):
        self.library = library
        self.script = script
        self.gpus = {}

    def load(self):
        """Into this process, for good; without STUB_NVML in the environment it is a driver that is not there."""
        ctypes.CDLL(str(self.library))

    def set(self, **gpus):
        """`a=(used, busy, mode)` is the GPU with the uuid GPU-a; the tuple may end early."""
        self.gpus |= {f"GPU-{name}": (*values, *(0, 0, "ok")[len(values) :]) for name, values in gpus.items()}
        new = self.script.with_suffix(".new")
        new.write_text(
            "".join(f"{uuid} {80 * GIB} {used} {busy} {mode}\n" for uuid, (used, busy, mode) in self.gpus.items())
        )
        os.replace(new, self.script)

    @property
    def hanging(self):
        """A reading has begun to hang."""
        return self.script.with_name(f"{self.script.name}.hanging").exists()

    def remove(self):
        self.script.unlink(missing_ok=True)
