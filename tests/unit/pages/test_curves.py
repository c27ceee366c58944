"""Each figure that is sampled has the curve of its last minute, with its own limit and peak."""

from fluster.job import Figures, Job, JobRequest, JobState, Limits, Sample
from fluster.web.pages.figure import figures

MIB = 1024**2
SAMPLES = [Sample(1000 * second, (100 + second) * MIB, 0.5, 2 + second % 2, 5 * MIB) for second in range(10)]


def found(samples):
    limits = Limits(memory_bytes=128 * MIB, cpu_millicores=1000, max_processes=4, disk_bytes=10 * MIB)
    seen = Figures(
        memory_usage_bytes=109 * MIB, memory_peak_bytes=120 * MIB, cpu_user_seconds=1.0, cpu_system_seconds=1.0, cpu_peak_cores=0.9,
        processes=2, processes_peak=3, disk_bytes=5 * MIB, disk_peak_bytes=8 * MIB,
    )  # fmt: skip
    job = Job(id="j", request=JobRequest(name="n", command=("true",), limits=limits), worker_id="w", submitted_ns=1, state=JobState.RUNNING, figures=seen)  # fmt: skip
    return {figure.key: figure.spark for figure in figures(job, samples)}


def test_memory_cpu_processes_and_disk_have_curves():
    curves = found(SAMPLES)
    assert curves["memory"].label == "memory over the last 60 s, from 100 to 109 MiB, peak 120 MiB, limit 128 MiB"
    assert curves["cpu"].label == "CPU over the last 60 s, always 0.50 cores, peak 0.90 cores, limit 1.00 cores"
    assert curves["processes"].label == "processes over the last 60 s, from 2 to 3, peak 3, limit 4"
    assert curves["disk"].label == "disk over the last 60 s, always 5.0 MiB, peak 8.0 MiB, limit 10.0 MiB"
    for curve in curves.values():
        assert curve.line.startswith("M")
        assert 0 == curve.limit_y < curve.peak_y


def test_without_samples_there_is_none():
    assert set(found([]).values()) == {None}
