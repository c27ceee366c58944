import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.builder.docker.build import BuildStream, supports_buildkit
from fluster.builder.docker.trace import TraceLog, Vertex, decode, fields
from fluster.cri import CriWriter, parse_line
from fluster.errors import BuildError
from fluster.job import Limits


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def time(ns):
    return field(1, ns // 10**9) + field(2, ns % 10**9)


def vertex(digest, name, *, cached=0, started=0, completed=0, error=""):
    data = field(1, digest.encode()) + field(3, name.encode()) + field(4, cached)
    data += field(5, time(started)) if started else b""
    data += field(6, time(completed)) if completed else b""
    return field(1, data + (field(7, error.encode()) if error else b""))


def output(digest, ns, stream, data):
    return field(3, field(1, digest.encode()) + field(2, time(ns)) + field(3, stream) + field(4, data))


@given(st.lists(st.tuples(st.integers(1, 2**20), st.one_of(st.integers(0, 2**63), st.binary(max_size=300)))))
def test_fields_are_what_was_written(values):
    assert list(fields(b"".join(field(*each) for each in values))) == values


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(data):
    try:
        for found in decode(data):
            assert isinstance(found, Vertex | TraceLog)
    except ValueError:
        pass


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_message_that_is_cut_off_is_an_error(value, data):
    whole = field(7, value)
    with pytest.raises(ValueError, match="cut off"):
        list(fields(whole[: data.draw(st.integers(1, len(whole) - 1))]))


def test_nanoseconds_survive():
    [found] = decode(output("d", 1_700_000_000_123_456_789, 2, b"x"))
    assert found == TraceLog("d", 1_700_000_000_123_456_789, 2, b"x")


class Response:
    status_code = 200
    reason = "OK"

    def __init__(self, body):
        self.raw = self
        self._body = body

    def stream(self, size):
        for at in range(0, len(self._body), 7):
            yield self._body[at : at + 7]

    def json(self):
        return json.loads(self._body)


class Engine:
    def __init__(self, body, status=200):
        self._response = Response(body)
        self._response.status_code = status

    def _url(self, path):
        return path

    def post(self, url, *, params, **_):
        self.params = params
        return self._response


def trace(*messages):
    lines = [{"id": "moby.buildkit.trace", "aux": base64.b64encode(each).decode()} for each in messages]
    return b"".join(json.dumps(line).encode() + b"\r\n" for line in lines)


def run(body, tmp_path, *, buildkit=True, status=200, limits=Limits()):  # noqa: B008 # it is frozen
    engine = Engine(body, status)
    log = CriWriter(tmp_path / "build.log")
    try:
        BuildStream(engine, None, "t", buildkit=buildkit, network="host", labels={}, limits=limits).run(log)
    finally:
        log.close()
        run.lines = [parse_line(line) for line in (tmp_path / "build.log").read_bytes().splitlines(keepends=True)]
        run.params = engine.params
    return run.lines


def test_steps_and_their_output_have_the_engine_s_times(tmp_path):
    lines = run(
        trace(
            vertex("a", "[1/2] FROM base", cached=1, started=5, completed=6),
            vertex("b", "[2/2] RUN x", started=1_000_000_000_000_000_007),
            vertex("b", "[2/2] RUN x", started=1_000_000_000_000_000_007),
            output("b", 1_000_000_000_000_000_008, 1, b"out\n"),
            output("b", 1_000_000_000_000_000_009, 2, b"err\n"),
        ),
        tmp_path,
    )
    assert [(line.timestamp_ns, line.stream, line.data) for line in lines] == [
        (5, "stdout", b"[1/2] FROM base"),
        (6, "stdout", b"CACHED [1/2] FROM base"),
        (1_000_000_000_000_000_007, "stdout", b"[2/2] RUN x"),
        (1_000_000_000_000_000_008, "stdout", b"out"),
        (1_000_000_000_000_000_009, "stderr", b"err"),
    ]
    assert run.params["version"] == "2"
    assert run.params["networkmode"] == "host"


def test_a_failing_step_is_named_with_its_last_word(tmp_path):
    body = (
        trace(
            output("b", 8, 2, b"no such package\n"),
            vertex(
                "b", "[2/2] RUN --mount=type=bind,source=tools uv pip", started=7, completed=9, error="exit code: 1"
            ),
        )
        + json.dumps({"errorDetail": {"message": "process did not complete"}}).encode()
    )
    with pytest.raises(BuildError, match=r"cannot be built: \[2/2\] RUN uv pip: no such package$"):
        run(body, tmp_path)
    assert run.lines[-1].data == b"ERROR exit code: 1"


SECRET_STEP = f"[2/2] RUN {'x' * 60} uv pip install -- x@http://{'u' * 20}:s3cretpw@host/x"


@pytest.mark.parametrize("buildkit", [True, False])
def test_credentials_in_a_step_are_told_nobody(tmp_path, buildkit):
    if buildkit:
        body = trace(vertex("b", SECRET_STEP, started=7, completed=9, error=f"process {SECRET_STEP!r} failed"))
    else:
        body = json.dumps({"stream": f"Step 2/2 : RUN {SECRET_STEP}\n"}).encode() + b"\n"
    detail = f"The command '/bin/sh -c {SECRET_STEP}' returned a non-zero code: 1"
    body += json.dumps({"errorDetail": {"message": detail}}).encode()
    with pytest.raises(BuildError) as raised:
        run(body, tmp_path, buildkit=buildkit)
    assert "***" in str(raised.value)
    assert b"http://***@host/x" in b"".join(line.data for line in run.lines)
    for text in (str(raised.value), str([line.data for line in run.lines])):
        assert "s3cret" not in text
        assert "uuu" not in text


def test_the_classic_builder_s_pieces_become_lines_and_limits_are_passed(tmp_path):
    pieces = ["Step 1/2 : FROM base\n", " ---> abc\n", "Step 2/2 : RUN x\n", "hal", "lo\n", "\x1b[91mbad\n\x1b[0m"]
    body = b"".join(json.dumps({"stream": each}).encode() + b"\n" for each in pieces)
    body += json.dumps({"errorDetail": {"message": "returned a non-zero code: 1"}, "error": "x"}).encode()
    limits = Limits(memory_bytes=10**8, cpu_millicores=1500)
    with pytest.raises(BuildError, match=r"Step 2/2 : RUN x: bad$"):
        run(body, tmp_path, buildkit=False, limits=limits)
    assert [(line.stream, line.data) for line in run.lines][-2:] == [("stdout", b"hallo"), ("stderr", b"bad")]
    assert (run.params["memory"], run.params["memswap"], run.params["cpuquota"]) == (10**8, 10**8, 150_000)
    assert "version" not in run.params


def test_a_refusal_of_the_engine_is_a_sentence(tmp_path):
    with pytest.raises(BuildError, match="refused the build: dockerfile parse error"):
        run(json.dumps({"message": "dockerfile parse error"}).encode(), tmp_path, status=400)


def test_buildkit_is_asked_of_moby_only():
    assert supports_buildkit({"ApiVersion": "1.41", "Components": [{"Name": "Engine"}]})
    assert not supports_buildkit({"ApiVersion": "1.37", "Components": [{"Name": "Engine"}]})
    assert not supports_buildkit({"ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]})
    assert not supports_buildkit({})
