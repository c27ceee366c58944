"""Which files the agents read, and what a path tells them."""

import glob
import os

import pytest

JOBS = {
    "20261123-170851-379-k3f9": "train",
    "build.log": "job.log",
    "job.log": "build.log",
    "a": "",
    "a.b-c_9..": "a=b=c",
    "9" * 128: "n" * 126,
    "J-": "émoji ☃ [x]* {y} $HOME, 'z' \\",
}  # fmt: skip


@pytest.fixture
def logs(tmp_path):
    """A worker's logs with all that rotation leaves and the worker keeps beside them."""
    for job_id, name in JOBS.items():
        directory = tmp_path / "logs" / job_id
        directory.mkdir(parents=True)
        for file in ["build.log", "job.log", "job.log.000001", "job.log.000002.gz", "build.log.000001", ".job.log.counts",
                     ".job.log.index", ".job.log.floor", ".build.log.counts", "other.log", "job.log~"]:  # fmt: skip
            (directory / file).touch()
        named = tmp_path / "logs/.named"
        named.mkdir(exist_ok=True)
        (named / f"{job_id}={name}").symlink_to(f"../{job_id}")
    return tmp_path


@pytest.mark.parametrize("kind", ["build", "job"])
def test_the_two_logs_of_each_job_are_read_and_nothing_else(read, logs, kind):
    found = glob.glob(read(FLUSTER_STATE_DIR=str(logs)).globs[kind], include_hidden=True)
    assert {os.path.realpath(each) for each in found} == {f"{logs}/logs/{job_id}/{kind}.log" for job_id in JOBS}
    assert len(found) == len(JOBS)


@pytest.mark.parametrize("kind", ["build", "job"])
def test_a_path_says_the_id_and_the_name_of_its_job(read, logs, kind):
    agent = read(FLUSTER_STATE_DIR=str(logs))
    found = glob.glob(agent.globs[kind], include_hidden=True)
    assert dict(agent.names(each) for each in found) == JOBS


def test_a_link_whose_job_is_gone_is_no_file(read, logs):
    (logs / "logs/.named/gone=x").symlink_to("../gone")
    found = glob.glob(read(FLUSTER_STATE_DIR=str(logs)).globs["job"], include_hidden=True)
    assert len(found) == len(JOBS)


def test_without_variables_the_state_directory_of_a_service_is_read(read):
    assert read().globs == {
        "build": "/var/lib/fluster/logs/.named/*/build.log",
        "job": "/var/lib/fluster/logs/.named/*/job.log",
    }
