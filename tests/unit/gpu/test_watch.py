"""NVML through pynvml itself, on a library that plays the driver."""

import logging
import os
import subprocess
import sys
import time

import pytest
from loguru import logger

from fluster.gpu import Gpu, GpuWatch, visible_devices
from fluster.gpu.nvml import open_nvml
from fluster.job import GpuFigures
from tests.nvml.driver import GIB


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def watching(driver):
    """A watch whose passes are the test's own."""
    opened = []

    def open_watch(**options):
        watch = GpuWatch(3600, **options)
        opened.append(watch)
        watch.open()
        return watch

    yield open_watch
    for watch in opened:
        watch.close()


def test_the_gpus_of_the_machine_are_known_by_uuid_and_memory(driver, watching):
    driver.set(a=(), b=())
    assert watching().gpus == (
        Gpu(uuid="GPU-a", index=0, memory_bytes=80 * GIB),
        Gpu(uuid="GPU-b", index=1, memory_bytes=80 * GIB),
    )


def test_a_machine_without_gpus_has_no_thread(driver, watching):
    watch = watching()
    assert watch.gpus == ()
    watch._thread.join(10)
    assert not watch._thread.is_alive()


def test_without_driver_or_library_there_are_no_gpus_and_no_noise(driver, watching, monkeypatch):
    said = []
    sink = logger.add(said.append, level=logging.INFO)
    try:
        driver.remove()
        assert watching().gpus == ()
        driver.set(a=())
        monkeypatch.setitem(sys.modules, "pynvml", None)
        assert watching().gpus == ()
        monkeypatch.setattr("fluster.gpu.nvml._LIBRARY", "libnvidia-ml-of-nowhere.so.1")
        assert open_nvml() is None
    finally:
        logger.remove(sink)
    assert said == []


@pytest.mark.parametrize(
    ("library", "says"), [("libnvidia-ml.so.1", "1 True"), ("libnvidia-ml-of-nowhere.so.1", "0 False")]
)
def test_only_a_machine_with_the_library_pays_for_the_import_of_pynvml(driver, library, says):
    driver.set(a=())
    code = (
        f"import sys; from fluster.gpu import nvml, GpuWatch; nvml._LIBRARY = {library!r}; "
        "print(len(GpuWatch(1).open()), 'pynvml' in sys.modules)"
    )
    env = {**os.environ, "LD_LIBRARY_PATH": str(driver.library.parent)}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == says


def test_figures_are_those_of_the_last_reading_and_the_peak_stays(driver, watching):
    driver.set(a=(3 * GIB, 97), b=(GIB, 5))
    watch = watching()
    watch.begin(["GPU-a"])
    assert watch.figures(["GPU-a"]) == (GpuFigures(uuid="GPU-a"),)
    watch.read()
    seen = GpuFigures(uuid="GPU-a", utilization_ratio=0.97, memory_used_bytes=3 * GIB, memory_peak_bytes=3 * GIB)
    assert watch.figures(["GPU-a"]) == (seen,)
    driver.set(a=(GIB, 0))
    watch.read()
    seen = GpuFigures(uuid="GPU-a", utilization_ratio=0.0, memory_used_bytes=GIB, memory_peak_bytes=3 * GIB)
    assert watch.figures(["GPU-a"]) == (seen,)
    assert watch.end(["GPU-a"]) == (GpuFigures(uuid="GPU-a", memory_peak_bytes=3 * GIB),)


def test_the_next_job_on_a_gpu_does_not_inherit_the_peak_of_the_last(driver, watching):
    driver.set(a=(3 * GIB, 97))
    watch = watching()
    watch.begin(["GPU-a"])
    watch.read()
    watch.end(["GPU-a"])
    driver.set(a=(GIB, 1))
    watch.begin(["GPU-a"])
    watch.read()
    assert watch.figures(["GPU-a"])[0].memory_peak_bytes == GIB


def test_a_device_that_fails_is_counted_and_absent_and_the_others_are_read(driver, watching):
    driver.set(a=(GIB, 1), b=(2 * GIB, 2))
    watch = watching()
    errors = []
    watch.on_error = errors.append
    watch.begin(["GPU-a", "GPU-b"])
    driver.set(a=(GIB, 1, "fails"))
    watch.read()
    bad, good = watch.figures(["GPU-a", "GPU-b"])
    assert bad == GpuFigures(uuid="GPU-a")
    assert (good.utilization_ratio, good.memory_used_bytes) == (0.02, 2 * GIB)
    assert errors
    assert {str(error) for error in errors} == {"GPU is lost"}


def test_a_figure_that_a_device_has_not_is_absent_and_no_error(driver, watching):
    driver.set(a=(GIB, 1, "mute"))
    watch = watching()
    errors = []
    watch.on_error = errors.append
    watch.begin(["GPU-a"])
    watch.read()
    assert watch.gpus == (Gpu(uuid="GPU-a"),)
    assert watch.figures(["GPU-a"]) == (GpuFigures(uuid="GPU-a"),)
    assert errors == []


def test_an_old_driver_tells_of_memory_by_its_older_call(driver, watching):
    driver.set(a=(GIB, 1, "old"))
    watch = watching()
    watch.begin(["GPU-a"])
    watch.read()
    assert watch.figures(["GPU-a"])[0].memory_used_bytes == GIB


def test_what_was_read_long_ago_is_no_live_figure(driver, watching):
    driver.set(a=(GIB, 50))
    clock = Clock()
    watch = GpuWatch(1, clock=clock)
    watch._nvml = open_nvml()
    watch._nvml.gpus()
    watch.begin(["GPU-a"])
    watch.read()
    clock.now += 4.9
    assert watch.figures(["GPU-a"])[0].utilization_ratio == 0.5
    clock.now += 0.2
    assert watch.figures(["GPU-a"]) == (GpuFigures(uuid="GPU-a", memory_peak_bytes=GIB),)


def test_a_driver_that_hangs_holds_nobody_and_its_thread_goes_on_when_it_answers_again(driver, monkeypatch):
    driver.set(a=(GIB, 50))
    watch = GpuWatch(0.01)
    watch.open()
    driver.set(a=(GIB, 50, "hangs"))
    watch.begin(["GPU-a"])
    deadline = time.monotonic() + 10
    while not driver.hanging:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert watch.figures(["GPU-a"]) == (GpuFigures(uuid="GPU-a"),)
    monkeypatch.setattr("fluster.gpu.watch._CLOSE_SECONDS", 0.05)
    watch.close()
    assert watch._thread.is_alive()
    assert watch._thread.daemon
    driver.set(a=(GIB, 50))
    watch._thread.join(10)
    assert not watch._thread.is_alive()


def test_a_driver_that_does_not_answer_at_start_leaves_a_worker_without_gpus(driver):
    driver.set(a=(GIB, 50, "hangs"))
    watch = GpuWatch(0.01)
    said = []
    sink = logger.add(said.append, format="{message}", level=logging.WARNING)
    try:
        assert watch.open(0.05) == ()
    finally:
        logger.remove(sink)
    assert len(said) == 1
    assert "does not answer" in said[0]
    driver.set(a=(GIB, 50))
    watch._thread.join(10)
    assert watch.gpus == ()


def test_a_process_sees_its_gpus_and_one_without_sees_none():
    assert visible_devices(["GPU-a", "GPU-b"]) == {
        "CUDA_VISIBLE_DEVICES": "GPU-a,GPU-b",
        "NVIDIA_VISIBLE_DEVICES": "GPU-a,GPU-b",
    }
    assert visible_devices([]) == {"CUDA_VISIBLE_DEVICES": "", "NVIDIA_VISIBLE_DEVICES": "void"}
