import io
import os
import stat
import zipfile
from contextlib import nullcontext
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.bundles import BundleStore
from fluster.bundles.archive import check_member
from fluster.config import Settings
from fluster.errors import BundleError, InvalidArgumentError, NotFoundError, PayloadTooLargeError

pytestmark = pytest.mark.anyio


def packed(*entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data, *mode in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (mode[0] if mode else stat.S_IFREG | 0o644) << 16
            bundle.writestr(info, data)
    return buffer.getvalue()


async def chunks(data, size=1000):
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.fixture
def store(tmp_path):
    return BundleStore(
        tmp_path / "bundles",
        Settings(max_bundle_size=10**6, max_bundle_expanded=2 * 10**6, max_bundle_entries=50, bundle_cache_limit=3000),
    )


async def test_an_upload_is_kept_by_content_and_extracted_once(store):
    data = packed(("main.py", "print(1)"), ("bin/run", "#!/bin/sh", stat.S_IFREG | 0o755), ("empty/", ""))
    sha256 = await store.put(chunks(data))
    assert await store.put(chunks(data)) == sha256
    assert store.has(sha256)
    first, second = await store.open(sha256), await store.open(sha256)
    assert first == second
    assert (first / "main.py").read_text() == "print(1)"
    assert os.access(first / "bin/run", os.X_OK)
    assert not os.access(first / "main.py", os.X_OK)
    assert (first / "empty").is_dir()
    assert store.counts.requests == {"miss": 1, "hit": 1}


async def test_many_at_once_extract_once(store):
    sha256 = await store.put(chunks(packed(("a", "1"))))
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(store.open, sha256)
    assert store.counts.requests["miss"] == 1


async def test_a_copy_is_the_jobs_own(store, tmp_path):
    sha256 = await store.put(chunks(packed(("a", "1"), ("link", "a", stat.S_IFLNK | 0o777))))
    target = tmp_path / "work"
    target.mkdir()
    await store.copy_to(sha256, target)
    (target / "a").write_text("changed")
    assert (target / "link").read_text() == "changed"
    assert ((await store.open(sha256)) / "a").read_text() == "1"


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([("/etc/passwd", "x")], "absolute path"),
        ([("../x", "x")], "leads out"),
        ([("a/../../x", "x")], "leads out"),
        ([("a\\..\\x", "x")], "backslash"),
        ([("C:/x", "x")], "absolute path"),
        ([("a", "1"), ("a", "2")], "there twice"),
        ([("a", "1"), ("a/b", "2")], "file and a folder"),
        ([("dev", "", stat.S_IFCHR | 0o666)], "device"),
        ([("pipe", "", stat.S_IFIFO | 0o666)], "device or a pipe"),
        ([("bomb", b"\0" * 3_000_000)], "expands beyond"),
        ([(f"f{n}", "") for n in range(51)], "51 entries"),
        ([("x" * 300, "")], "longer than 255"),
    ],
)
async def test_a_hostile_upload_is_refused_in_one_sentence_and_leaves_nothing(store, tmp_path, entries, says):
    with pytest.warns(UserWarning, match="Duplicate") if len({e[0] for e in entries}) < len(entries) else nullcontext():
        data = packed(*entries)
    with pytest.raises(InvalidArgumentError, match=says):
        await store.put(chunks(data))
    assert list((tmp_path / "bundles/tmp").iterdir()) == []
    assert not list((tmp_path / "bundles").glob("*.zip"))


@pytest.mark.parametrize("goal", ["/etc/passwd", "../../x", "a/../../x", ""])
async def test_a_link_out_of_the_tree_is_refused(store, tmp_path, goal):
    sha256 = await store.put(chunks(packed(("link", goal, stat.S_IFLNK | 0o777))))
    with pytest.raises(BundleError, match="leads out"):
        await store.open(sha256)
    assert list((tmp_path / "bundles/tmp").iterdir()) == []


async def test_a_chain_of_links_out_of_the_tree_is_refused(store):
    link = stat.S_IFLNK | 0o777
    sha256 = await store.put(chunks(packed(("d/e/", ""), ("d/up", "e/../..", link), ("x", "d/up/../../etc", link))))
    with pytest.raises(BundleError, match="leads out"):
        await store.open(sha256)


async def test_sizes_are_counted_not_believed(store):
    data = bytearray(packed(("bomb", b"\0" * 3_000_000)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.rfind(signature)
        data[at + offset : at + offset + 4] = (10).to_bytes(4, "little")
    sha256 = await store.put(chunks(bytes(data)))
    with pytest.raises(BundleError, match=r"broken|expands"):
        await store.open(sha256)


async def test_a_broken_entry_is_a_sentence(store):
    data = bytearray(packed(("a", os.urandom(5000))))
    data[100] ^= 0xFF
    sha256 = await store.put(chunks(bytes(data)))
    with pytest.raises(BundleError, match="'a' is broken"):
        await store.open(sha256)


async def test_no_zip_too_large_and_unknown(store):
    with pytest.raises(InvalidArgumentError, match="not a zip"):
        await store.put(chunks(b"hello"))
    with pytest.raises(PayloadTooLargeError, match="larger than"):
        await store.put(chunks(b"x" * 1_100_000))
    with pytest.raises(NotFoundError):
        await store.open("0" * 64)
    with pytest.raises(NotFoundError):
        await store.open("../../etc/passwd")


async def test_fetch_by_address_and_by_digest(store, tmp_path):
    path = tmp_path / "b.zip"
    path.write_bytes(packed(("a", "1")))
    sha256 = await store.fetch(str(path), None)
    assert await store.fetch(f"file://{path}", sha256) == sha256
    with pytest.raises(BundleError, match="it was changed"):
        await store.fetch(str(path), "0" * 64)
    with pytest.raises(BundleError, match="there is nothing at"):
        await store.fetch(str(tmp_path / "none.zip"), None)
    with pytest.raises(BundleError, match="gs://x/y"):
        await store.fetch("gs://x/y.zip", None)
    with pytest.raises(BundleError, match="nosuch"):
        await store.fetch("nosuch://x/y.zip", None)


@pytest.mark.parametrize("scheme", ["http", "gs", "nosuch", "zip", "file"])
async def test_no_error_tells_the_credentials_of_an_address(store, scheme):
    address = f"{scheme}://user:s3cretpw@127.0.0.1:1/x.zip?token=s3crettoken&page=1"
    with pytest.raises(BundleError, match="bundle: ") as raised:
        await store.fetch(address, None)
    assert "s3cret" not in str(raised.value)
    assert f"{scheme}://***@127.0.0.1:1/x.zip" in str(raised.value)


async def test_a_long_address_is_cut(store):
    with pytest.raises(BundleError, match="characters in all") as raised:
        await store.fetch(f"nosuch://host/{'a' * 100_000}", None)
    assert len(str(raised.value)) < 1000


async def test_a_restart_finds_the_cache_and_clears_what_was_half_made(store, tmp_path):
    sha256 = await store.put(chunks(packed(("a", "1"))))
    (tmp_path / "bundles/tmp/half").mkdir()
    again = BundleStore(tmp_path / "bundles", Settings())
    assert again.has(sha256)
    assert list((tmp_path / "bundles/tmp").iterdir()) == []


async def test_the_longest_unused_goes_first_and_never_one_in_use(store):
    digests = [await store.put(chunks(packed((f"f{n}", os.urandom(1000))))) for n in range(3)]
    for age, sha256 in zip((30, 20, 10), digests, strict=True):
        tree: Path = await store.open(sha256)
        os.utime(tree, (1000 - age, 1000 - age))
    await store.evict({digests[0]})
    assert [store.has(each) for each in digests] == [True, False, False]
    assert store.counts.evictions == 2
    assert store.counts.cache_bytes <= 3000


@given(st.text(max_size=40))
def test_no_accepted_name_leaves_the_tree(name):
    try:
        path = check_member(name)
    except BundleError:
        return
    root = Path("/bundle")
    assert Path(os.path.normpath(root / path)).is_relative_to(root)
