import base64
import pickle

import pytest
from google.protobuf.json_format import ParseDict

from fluster.client.request import error_from, run_job_document
from fluster.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, UnavailableError
from fluster.v1 import cluster_pb2 as pb
from fluster.web.rpc.convert import job_request


def request(work, **options):
    """What the worker makes of a submission: the document and the message cannot drift apart."""
    return job_request(ParseDict(run_job_document(work, **options), pb.RunJobRequest()))


def test_every_option_arrives():
    made = request(
        ["python", "a.py"], job_id="j", name="n", bundle_sha256="a" * 64, env={"K": "v"}, cpus=1.5, memory="512m", pids=64,
        disk="1g", gpus=1, timeout="1h", grace="3s", ports=["http"], extras=["gpu"], pip=["numpy"], python="3.12", image="python:3.12",
    )  # fmt: skip
    assert made.command == ("python", "a.py")
    assert (made.name, made.bundle_sha256, made.ports) == ("n", "a" * 64, ("http",))
    assert (made.limits.cpu_millicores, made.limits.memory_bytes, made.limits.max_processes) == (1500, 512 << 20, 64)
    assert (made.limits.disk_bytes, made.limits.gpus) == (1 << 30, 1)
    assert (made.timeout_seconds, made.grace_seconds) == (3600, 3)
    assert made.environment.env_vars == {"K": "v"}
    assert (made.environment.extras, made.environment.pip_packages) == (("gpu",), ("numpy",))
    assert (made.environment.python_version, made.environment.base_image) == ("3.12", "python:3.12")


def test_what_is_not_given_is_not_sent():
    assert run_job_document(["true"]) == {"command": ["true"]}


def test_no_grace_is_not_the_default_grace():
    assert request(["true"]).grace_seconds == 10
    assert request(["true"], grace=0).grace_seconds == 0


@pytest.mark.parametrize(("given", "seconds"), [("1500ms", 2), ("200ms", 1), (0.1, 1), ("90s", 90), (7, 7)])
def test_nobody_gets_less_time_than_was_asked_for(given, seconds):
    assert request(["true"], timeout=given).timeout_seconds == seconds


@pytest.mark.parametrize("given", ["0s", 0, -1, float("nan"), float("inf"), "soon"])
def test_a_timeout_that_is_none_is_refused_by_name(given):
    with pytest.raises(InvalidArgumentError, match=r"^timeout: "):
        run_job_document(["true"], timeout=given)


def test_a_shell_line_is_not_taken_for_letters():
    with pytest.raises(InvalidArgumentError, match=r"command: .*list of words"):
        run_job_document("echo hello")


def test_a_function_travels_with_its_arguments_and_its_python():
    offset = 10

    def add(a, *, b):
        return a + b + offset

    document = run_job_document(add, args=(1,), kwargs={"b": 2})
    function, args, kwargs = pickle.loads(base64.b64decode(document["serializedEntrypoint"]))  # noqa: S301 # pickled just above
    assert function(*args, **kwargs) == 13
    assert document["name"] == "add"
    assert document["pythonVersion"].startswith("3.")
    assert "command" not in document


@pytest.mark.parametrize(
    ("document", "kind", "text"),
    [
        ({"error": "no job x", "code": "not_found"}, NotFoundError, "no job x"),
        ({"message": "x is taken", "code": "already_exists"}, AlreadyExistsError, "x is taken"),
        ({"error": "memory: 5 has no unit", "code": "invalid_argument"}, InvalidArgumentError, "memory: 5 has no unit"),
        ({"error": "bad", "code": "invalid_argument"}, InvalidArgumentError, "request: bad"),
        ({"error": "odd", "code": "new_code"}, UnavailableError, "odd"),
        (None, UnavailableError, "the worker answered 502 without a reason"),
        ([], UnavailableError, "the worker answered 502 without a reason"),
    ],
)
def test_the_workers_sentence_comes_as_the_class_of_its_code(document, kind, text):
    error = error_from(502, document)
    assert type(error) is kind
    assert str(error) == text
