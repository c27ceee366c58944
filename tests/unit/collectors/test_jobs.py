"""The series of jobs: exactly what the library would tell of the same data, in both formats."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluster.catalogue import METRICS
from fluster.collectors.exposition import jobs_lines
from fluster.collectors.jobs import JOB_FAMILIES
from fluster.collectors.text import Format
from fluster.job import Build, EndReason, Figures, GpuFigures, Job, JobRequest, JobState, Limits, LogCounts, Source
from fluster.job.request import EnvironmentRequest
from tests.unit.collectors.library import RENDER, Registry, library_families, read


def jobs_text(found, form):
    return "".join(jobs_lines(found, form))


COUNT = st.integers(0, 2**63)
SECONDS = st.floats(0, 1e12, allow_nan=False)
TEXT = st.text(max_size=20)
KINDS = {"int | None": COUNT, "float | None": SECONDS, "Source | None": st.sampled_from(Source)}


@st.composite
def figures(draw):
    known = {
        each.name: draw(st.none() | KINDS[each.type]) for each in dataclasses.fields(Figures) if each.type in KINDS
    }
    uuids = draw(st.lists(TEXT, max_size=2, unique=True))
    gpus = tuple(
        GpuFigures(uuid=uuid, utilization_ratio=draw(st.none() | st.floats(0, 1)), memory_peak_bytes=draw(COUNT))
        for uuid in uuids
    )
    return Figures(sampled_at_ns=draw(COUNT), gpus=gpus, **known)


@st.composite
def jobs(draw, number):
    state = draw(st.sampled_from([each for each in JobState if each]))
    limits = Limits(
        cpu_millicores=draw(st.none() | COUNT), memory_bytes=draw(st.none() | COUNT), max_processes=draw(st.none() | COUNT)
    )  # fmt: skip
    counts = st.dictionaries(st.sampled_from(["build", "stdout", "stderr"]), COUNT)
    return Job(
        id=f"job-{number}_x.{draw(st.integers(0, 9))}",
        request=JobRequest(
            name=draw(TEXT),
            command=("x",),
            limits=limits,
            environment=EnvironmentRequest(base_image=draw(st.none() | TEXT)),
            timeout_seconds=draw(st.none() | SECONDS),
        ),
        worker_id="w",
        state=state,
        submitted_ns=draw(COUNT),
        build_started_ns=draw(st.none() | COUNT),
        finished_ns=draw(COUNT) if state.terminal else None,
        end_reason=draw(st.sampled_from(EndReason)) if state.terminal else None,
        exit_code=draw(st.none() | st.integers(0, 255)),
        build=draw(st.none() | st.builds(Build, image_tag=TEXT, from_cache=st.booleans(), bundle_sha256=TEXT)),
        figures=draw(figures()),
        logs=LogCounts(
            lines=draw(counts),
            bytes=draw(counts),
            lost=draw(counts),
            retired=draw(counts),
            last_timestamp_ns=draw(COUNT),
        ),
    )


@pytest.mark.parametrize("form", Format)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_the_text_holds_exactly_what_the_library_writes_of_the_same_data(form, data):
    found = [data.draw(jobs(number)) for number in range(data.draw(st.integers(0, 3)))]
    ours = jobs_text(found, form) + form.end
    theirs = RENDER[form](Registry(library_families(found))).decode()
    assert read(ours, form) == read(theirs, form)


def job(state=JobState.RUNNING, **changes):
    return Job(
        id="j", request=JobRequest(name="n", command=("x",)), worker_id="w", submitted_ns=10**18, state=state, **changes
    )


def test_the_table_holds_the_catalogues_families_of_jobs_and_no_other_in_its_order():
    known = [metric.name for metric in METRICS if metric.labels[:1] == ("job_id",)]
    assert [family.metric.name for family in JOB_FAMILIES] == known


def test_every_figure_of_a_job_is_in_some_family():
    """A figure that nobody exports would be kept for nobody."""
    values = {
        each.name: 1
        if each.type == "int | None"
        else 1.0
        if each.type == "float | None"
        else Source.KERNEL
        if each.type == "Source | None"
        else None
        for each in dataclasses.fields(Figures)
        if each.type in KINDS
    }
    empty, full = job(), job(figures=Figures(**values))
    unseen = []
    for name, value in values.items():
        if not name.endswith("_source"):
            one = job(figures=Figures(**{name: value}))
            unseen += [name] if jobs_text([one], Format.TEXT) == jobs_text([empty], Format.TEXT) else []
    assert unseen == []
    assert jobs_text([full], Format.TEXT).count("\n") > jobs_text([empty], Format.TEXT).count("\n")


def test_what_is_unknown_is_absent_and_what_is_zero_is_zero():
    text = jobs_text([job(figures=Figures(oom_kills=0, sampled_at_ns=1))], Format.TEXT)
    assert 'fluster_job_oom_kills_total{job_id="j"} 0\n' in text
    assert "fluster_job_memory_usage_bytes{" not in text
    assert "fluster_job_exit_code{" not in text
    assert "fluster_job_end_reason{" not in text
    assert 'fluster_job_log_lines_total{job_id="j",source="stderr"} 0\n' in text


def test_a_finished_job_uses_nothing_now_and_keeps_what_it_used():
    figures = Figures(memory_usage_bytes=5, memory_peak_bytes=7, memory_peak_source=Source.KERNEL, cpu_cores=1.0)
    text = jobs_text([job(JobState.FAILED, figures=figures, end_reason=EndReason.OOM, exit_code=137)], Format.TEXT)
    assert "fluster_job_memory_usage_bytes{" not in text
    assert "fluster_job_cpu_cores{" not in text
    assert 'fluster_job_memory_peak_bytes{job_id="j",source="kernel"} 7\n' in text
    assert 'fluster_job_oom_killed{job_id="j"} 1\n' in text
    assert 'fluster_job_end_reason{job_id="j",reason="oom"} 1\n' in text
    assert 'fluster_job_state{job_id="j",state="failed"} 1\n' in text
    assert 'fluster_job_state{job_id="j",state="running"} 0\n' in text
