import pytest

from fluster.cli.outcome import exit_code, reason_in_words, summary


@pytest.mark.parametrize(
    ("status", "reason", "own", "code"),
    [
        ("succeeded", "completed", 0, 0),
        ("failed", "exit_code", 3, 3),
        ("failed", "exit_code", 139, 139),
        ("failed", "timeout", 143, 124),
        ("failed", "oom", 137, 137),
        ("failed", "oom", 1, 137),
        ("failed", "bundle", None, 125),
        ("failed", "build", None, 125),
        ("failed", "start", None, 125),
        ("failed", "disk_quota", 137, 125),
        ("killed", "user", 143, 143),
        ("killed", "user", 137, 137),
        ("killed", "user", None, 143),
        ("killed", "shutdown", 0, 143),
        ("worker_failed", "infrastructure", None, 125),
        ("unschedulable", "infrastructure", None, 125),
    ],
)
def test_exit_codes_are_those_of_docker_run(status, reason, own, code):
    assert exit_code({"status": status, "end_reason": reason, "exit_code": own}) == code


def test_the_summary_has_exact_figures_and_their_source(document):
    assert dict(summary(document)) == {
        "job": "j1 succeeded",
        "time": "queued 250 ms, built 2.0 s, ran 1 min",
        "build": "py3.11-abc (built)",
        "memory": "peak 2.0 GiB of 4.0 GiB (kernel)",
        "cpu": "61.750 s: user 61.500, system 0.250 (kernel)",
        "processes": "peak 7 (kernel)",
        "log": "5 build, 100 stdout, 0 stderr lines",
    }


def test_what_is_unknown_is_left_out_and_never_shown_as_zero(document):
    document["resources"] = dict.fromkeys(document["resources"])
    assert set(dict(summary(document))) == {"job", "time", "build", "log"}


def test_a_job_that_never_started_has_only_a_queue_time(document):
    document |= {"started_at": None, "run_started_at": None, "finished_at": 2_000, "status": "killed"}
    document["build"] = {"finished_ms": None, "image_tag": None, "from_cache": None}
    assert dict(summary(document))["time"] == "queued 1.0 s"


def test_kills_for_memory_are_told_even_where_the_job_went_on(document):
    document["resources"]["oom_kills"] = 2
    assert dict(summary(document))["oom kills"] == "2"


def test_a_reason_is_one_line_that_cannot_steer_the_terminal(document):
    document |= {"status": "worker_failed", "error": "no such file: \x1b[2J\nx"}
    words = reason_in_words(document)
    assert words.startswith("worker failed: no such file: ")
    assert words.isprintable()


def test_the_summary_has_the_peak_of_each_gpu_that_is_known(document):
    document["resources"]["gpus"] = [
        {"uuid": "GPU-a", "utilization_ratio": None, "memory_used_bytes": None, "memory_peak_bytes": 3 << 30},
        {"uuid": "GPU-b", "utilization_ratio": None, "memory_used_bytes": None, "memory_peak_bytes": None},
    ]
    assert [text for label, text in summary(document) if label == "gpu"] == ["GPU-a peak 3.0 GiB (sampled)"]
