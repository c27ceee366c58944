from fluster.job import EndReason, GpuFigures, JobState, Limits, Sample, Source
from fluster.web.pages.figure import figures
from tests.unit.pages.jobs import GIB, T0, S, job


def test_unknown_figures_are_left_out_and_not_zero():
    assert figures(job()) == []


def test_figures_have_their_share_and_their_source():
    seen = {
        "memory_usage_bytes": GIB, "memory_peak_bytes": 3 * GIB, "memory_peak_source": Source.KERNEL,
        "cpu_user_seconds": 1.0, "cpu_system_seconds": 0.5, "cpu_cores": 0.75, "cpu_peak_cores": 1.5, "cpu_source": Source.SAMPLED,
        "processes": 2, "processes_peak": 4, "processes_peak_source": Source.KERNEL,
        "disk_bytes": 10 * GIB, "disk_peak_bytes": 20 * GIB,
    }  # fmt: skip
    limits = Limits(memory_bytes=4 * GIB, cpu_millicores=1500, max_processes=8, disk_bytes=10 * GIB)
    live = {figure.key: figure for figure in figures(job(figures=seen, limits=limits))}
    assert (live["memory"].share, live["memory"].peak_share, live["memory"].source) == (0.25, 0.75, "kernel")
    assert (live["cpu"].share, live["cpu"].peak_share, live["cpu"].source) == (0.5, 1.0, "sampled")
    assert live["cpu"].text == "0.75 of 1.5 cores, 1.50 s in all"
    assert (live["processes"].text, live["processes"].share) == ("2, peak 4 of 8", 0.25)
    assert live["disk"].peak_share == 1.0  # never more than full

    ended = job(JobState.SUCCEEDED, figures=seen, limits=limits, end_reason=EndReason.COMPLETED, finished_ns=T0 + 9 * S)
    final = {figure.key: figure for figure in figures(ended)}
    assert final["memory"].share == final["memory"].peak_share == 0.75
    assert final["cpu"].text == "at most 1.5 cores, 1.50 s in all"
    assert final["processes"].text == "peak 4 of 8"


def test_processes_that_are_known_by_their_peak_only_show_no_none():
    (processes,) = figures(job(figures={"processes_peak": 4}))
    assert processes.text == "peak 4"


def test_each_gpu_has_its_figures_and_one_that_is_finished_its_peak():
    known = GpuFigures(uuid="a", utilization_ratio=0.974, memory_used_bytes=GIB, memory_peak_bytes=2 * GIB)
    live = figures(job(figures={"gpus": (known, GpuFigures(uuid="b"))}))
    assert [(figure.name, figure.text, figure.source) for figure in live] == [
        ("GPUs", "97 % busy, 1.0 GiB, peak 2.0 GiB; –", "sampled")
    ]
    ended = figures(job(figures={"gpus": (GpuFigures(uuid="a", memory_peak_bytes=2 * GIB),)}))
    assert [figure.text for figure in ended] == ["peak 2.0 GiB"]
    assert figures(job(figures={"gpus": (GpuFigures(uuid="b"),)})) == []


def test_what_goes_in_and_out_is_shown_as_far_as_it_is_known():
    seen = {"network_receive_bytes": 2048, "network_transmit_bytes": 0, "block_written_bytes": GIB}
    assert [(figure.name, figure.text, figure.source) for figure in figures(job(figures=seen))] == [
        ("Network", "2.0 KiB received, 0 B sent", "kernel"),
        ("Block I/O", "1.0 GiB written", "kernel"),
    ]


def test_every_figure_says_what_it_means_and_samples_become_a_line():
    seen = {
        "memory_usage_bytes": GIB, "cpu_user_seconds": 1.0, "cpu_system_seconds": 0.5, "processes": 2, "disk_bytes": 1,
        "network_receive_bytes": 1, "block_read_bytes": 1, "gpus": (GpuFigures(uuid="a", memory_used_bytes=1),),
    }  # fmt: skip
    found = figures(job(figures=seen), [Sample(1, GIB, 0.5, 1), Sample(2, 2 * GIB, 1.0, 2)])
    assert [figure.key for figure in found] == ["memory", "cpu", "processes", "disk", "network", "block", "gpus"]
    assert all(figure.meaning.endswith(".") for figure in found)
    assert [bool(figure.spark) for figure in found] == [True, True, True, False, False, False, False]
