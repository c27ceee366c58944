"""fluster.Client and fluster.AsyncClient against a real worker."""

import anyio
import pytest

import fluster as package
from fluster.errors import AlreadyExistsError, FlusterError, InvalidArgumentError, NotFoundError, UnavailableError


@pytest.fixture
def client(live):
    with package.Client(live.url) as opened:
        yield opened


def test_a_function_runs_there_and_its_result_comes_back(client):
    offset = 40

    def add(a, *, b):
        print("adding")
        return {"sum": a + b + offset}

    job = client.submit(add, args=(1,), kwargs={"b": 1})
    assert job.result() == {"sum": 42}
    assert job.status()["name"] == "add"
    assert [each["data"] for each in job.logs(source="stdout")] == ["adding"]


def test_a_builtin_runs_there_too(client):
    assert client.submit(pow, args=(2, 10), memory="512m").result() == 1024


def test_a_function_that_raises_has_no_result_and_a_traceback_in_its_log(client):
    def broken():
        raise ArithmeticError("of all things")

    job = client.submit(broken)
    with pytest.raises(FlusterError, match=rf"^job {job.id} failed: "):
        job.result()
    assert any("ArithmeticError: of all things" in each["data"] for each in job.logs(source="stderr"))


def test_a_command_with_files_is_followed_and_waited_for(client, folder):
    job = client.submit(["python", "main.py"], workspace=folder(main__py="print('one')\nprint('two')\n"), name="files")
    assert [each["data"] for each in job.logs(follow=True, source=["stdout"])] == ["one", "two"]
    assert job.wait()["status"] == "succeeded"
    assert client.job(job.id).status() == job.status()
    assert job.id in {each["job_id"] for each in client.jobs(text="files")}


def test_a_follower_that_stops_early_leaves_nothing_open(client):
    job = client.submit(["sh", "-c", "echo first; sleep 3600"])
    entries = job.logs(follow=True, source="stdout")
    assert next(entries)["data"] == "first"
    entries.close()
    assert job.kill(grace=0)["job_id"] == job.id
    assert job.wait()["end_reason"] == "user"


def test_a_long_log_comes_whole_and_in_order(client):
    job = client.submit(["sh", "-c", "i=0; while [ $i -lt 12000 ]; do echo $i; i=$((i+1)); done"])
    job.wait()
    assert [int(each["data"]) for each in job.logs(source="stdout")] == list(range(12000))


def test_errors_are_those_of_the_worker(client):
    with pytest.raises(NotFoundError, match="nowhere"):
        client.job("nowhere").status()
    with pytest.raises(NotFoundError, match="nowhere"):
        next(client.job("nowhere").logs(follow=True))
    with pytest.raises(InvalidArgumentError, match=r"^job_id: "):
        client.job("a/b")
    with pytest.raises(InvalidArgumentError, match=r"resources\.memory: '5' has no unit"):
        client.submit(["true"], memory="5")
    client.submit(["true"], job_id="once")
    with pytest.raises(AlreadyExistsError, match="once"):
        client.submit(["true"], job_id="once")


def test_nobody_there_is_an_error_of_its_own():
    with package.Client("http://127.0.0.1:9") as nobody, pytest.raises(UnavailableError, match="no worker answers at"):
        nobody.jobs()


@pytest.mark.anyio
async def test_many_calls_at_once(live):
    async with package.AsyncClient(live.url) as client:
        results = {}

        async def one(number):
            job = await client.submit(lambda: number * number)
            results[number] = await job.result()

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for number in range(6):
                    tasks.start_soon(one, number)
    assert results == {number: number * number for number in range(6)}


@pytest.mark.anyio
async def test_a_cancelled_wait_leaves_the_job_running(live):
    async with package.AsyncClient(live.url) as client:
        job = await client.submit(["sleep", "3600"])
        with anyio.move_on_after(0.3) as scope:
            await job.wait()
        assert scope.cancelled_caught
        assert (await job.status())["finished_at"] is None
        await job.kill(0)
        assert (await job.wait())["status"] == "killed"
