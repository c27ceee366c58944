import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from fluster.config import Settings
from fluster.web.errors import handlers
from fluster.web.security import COOKIE, Security

pytestmark = pytest.mark.anyio
RUN = "/fluster.v1.WorkerService/RunJob"
METHODS = ["GET", "POST", "PUT", "DELETE"]


async def echo(request):
    return PlainTextResponse(str(len(await request.body())))


async def broken(_request):
    raise RuntimeError("the secret of this worker")


def door(*, token=None, metrics_token=None, host="127.0.0.1", **changes):
    settings = Settings(host=host, insecure=True, max_request=1000, max_bundle_size=5000, **changes)
    app = Starlette(
        routes=[Route("/broken", broken), Route("/{path:path}", echo, methods=METHODS)],
        middleware=[Middleware(Security, settings=settings, token=token, metrics_token=metrics_token)],
        exception_handlers=handlers,
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:1", "[::1]:8080", "127.8.9.1", "LOCALHOST"])
async def test_the_names_of_loopback_come_in(host):
    async with door() as client:
        assert (await client.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.1", "", "[", "[::1", "a:b:c", "127.0.0.1.nip.io"]
)
async def test_a_name_that_was_pointed_at_loopback_stays_out(host):
    async with door() as client:
        answer = await client.get("/", headers={"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (421, "misdirected_request")


async def test_a_worker_that_listens_beyond_loopback_may_have_any_name():
    async with door(host="0.0.0.0") as client:
        assert (await client.get("/", headers={"Host": "worker.example"})).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("worker:8080", 200), ("LOCALHOST:8080", 200), ("127.0.0.1", 200), ("Jobs.example", 200), ("evil.example", 421), ("10.0.0.1", 421)],
)  # fmt: skip
async def test_where_names_are_listed_only_they_and_loopback_s_come_in(host, status):
    async with door(host="0.0.0.0", allowed_hosts="worker, jobs.example") as client:
        assert (await client.get("/", headers={"Host": host})).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9", "http://[", "127.0.0.1:8080", ""]
)
async def test_another_origin_changes_nothing(method, origin):
    async with door() as client:
        assert (await client.request(method, "/", headers={"Origin": origin})).status_code == 403


async def test_the_own_origin_and_programs_without_one_may_change():
    async with door() as client:
        assert (await client.post("/", headers={"Origin": "http://127.0.0.1:8080"})).status_code == 200
        assert (await client.post("/", headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
        assert (await client.post("/")).status_code == 200
        assert (await client.post("/", headers={"Sec-Fetch-Site": "same-site"})).status_code == 403


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic dDp0", "Bearer t t", "t", "Bearer T", "Bearer \xe9"]
)
async def test_a_wrong_token_stays_out(given):
    async with door(token="t") as client:
        answer = await client.get("/api/jobs", headers={"Authorization": given.encode("latin-1")})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_the_token_opens_and_healthz_needs_none():
    async with door(token="t") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/healthz/../api/jobs")).status_code == 401
        assert (await client.post("/", headers={"Authorization": "bearer t"})).status_code == 200


async def test_the_token_for_metrics_opens_metrics_only():
    async with door(token="t", metrics_token="m") as client:
        assert (await client.get("/metrics", headers={"Authorization": "Bearer m"})).status_code == 200
        assert (await client.get("/metrics", headers={"Authorization": "Bearer t"})).status_code == 200
        assert (await client.get("/api/jobs", headers={"Authorization": "Bearer m"})).status_code == 401
        assert (await client.get("/metrics")).status_code == 401


async def test_the_cookie_opens_reading_only():
    async with door(token="t") as client:
        cookie = {"Cookie": f"a,b=1; odd[]=2; {COOKIE}=t; lone"}
        assert (await client.get("/", headers=cookie)).status_code == 200
        assert (await client.post("/", headers=cookie)).status_code == 401
        assert (await client.post("/", headers={**cookie, "X-Fluster": "1"})).status_code == 200
        foreign = {**cookie, "X-Fluster": "1", "Origin": "http://evil.example"}
        assert (await client.post("/", headers=foreign)).status_code == 403
        assert (await client.get("/", headers={**cookie, "Authorization": "Bearer wrong"})).status_code == 401
        assert (await client.get("/", headers={"Cookie": f"{COOKIE}=wrong"})).status_code == 401


async def test_a_browser_without_token_is_shown_the_way():
    async with door(token="t") as client:
        answer = await client.get("/", headers={"Accept": "text/html,*/*"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def _pieces(size):
    for _ in range(size // 100):
        yield b"x" * 100


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/", 1000, 200), ("/", 1100, 413), ("/api/bundles", 5000, 200), ("/api/bundles", 5100, 413), ("/api/bundles/x", 1100, 413)],
)  # fmt: skip
async def test_bodies_are_bounded_said_or_not(path, size, status):
    async with door() as client:
        said = await client.put(path, content=b"x" * size)
        counted = await client.put(path, content=_pieces(size))
        assert said.status_code == counted.status_code == status
        if status == 413:
            assert said.json() == counted.json()
            assert said.json()["code"] == "payload_too_large"


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "\xb2"])
async def test_a_length_that_is_no_number_is_refused(length):
    async with door() as client:
        answer = await client.post("/", headers={"Content-Length": length.encode("latin-1")})
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("headers", "size", "status", "code"),
    [
        ({"Authorization": "Bearer t"}, 1100, 413, "resource_exhausted"),
        ({}, 1, 401, "unauthenticated"),
        ({"Origin": "http://evil.example"}, 1, 403, "permission_denied"),
        ({"Host": "evil.example"}, 1, 421, "permission_denied"),
    ],
)
async def test_an_rpc_is_refused_in_the_words_of_connect(headers, size, status, code):
    async with door(token="t") as client:
        answer = await client.post(RUN, headers=headers, content=b"x" * size)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["message"]


async def test_every_answer_carries_the_headers():
    async with door(token="t") as client:
        for path in ("/healthz", "/api/jobs"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "unsafe" not in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["referrer-policy"] == "no-referrer"


async def test_an_unknown_error_shows_nothing_of_the_inside():
    async with door() as client:
        answer = await client.get("/broken")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "secret" not in answer.text
