"""Files on their way in: by offset, as forms, in archives; whole, once, and within limits."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.web.forms import BadRequestError
from safelight.web.multipart import boundary_of, parts
from web_fixtures import JSON, Site, scans

MIB = 1 << 20
HEAD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("uploads"), options={"piece": 4096, "most_bytes": MIB})
    made.publish()
    yield made
    made.close()


def parsed(body: bytes, boundary: bytes, cuts: list[int]) -> list[tuple[str, str | None, bytes]]:
    """Return the parts of a body that comes in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        start = 0
        for cut in [*sorted(cuts), len(body)]:
            yield body[start:cut]
            start = max(start, cut)

    async def read() -> list[tuple[str, str | None, bytes]]:
        told: list[tuple[str, str | None, bytes]] = []
        async for part in parts(pieces(), boundary):
            if part.first:
                told.append((part.name, part.filename, b""))
            told[-1] = (*told[-1][:2], told[-1][2] + part.data)
        return told

    return asyncio.run(read())


NEAR = st.sampled_from([b"\r\n", b"--", b"\r\n--", b"XX", b"\r\n--XX", b"-", b"\r", b"", b"abc"])
CONTENT = st.lists(NEAR | st.binary(max_size=20), max_size=8).map(b"".join)


@given(contents=st.lists(CONTENT, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 400)))
def test_a_form_comes_out_as_it_went_in_however_it_is_cut(
    contents: list[bytes], cuts: list[int]
) -> None:
    boundary = b"XXboundaryXX"
    body = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="f%d"; filename="n"\r\n\r\n%b\r\n'
        % (boundary, number, content)
        for number, content in enumerate(contents)
    )
    told = parsed(body + b"--" + boundary + b"--\r\n", boundary, cuts)
    assert told == [(f"f{number}", "n", content) for number, content in enumerate(contents)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b\r\n\r\nx\r\n--b--",
        b"x" * 40_000,
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
    ],
    ids=["empty", "cut", "nameless", "no-boundary", "unended"],
)
def test_a_body_that_is_no_form_is_told(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        parsed(body, b"b", [])
    with pytest.raises(BadRequestError):
        boundary_of("multipart/form-data")


def test_a_file_goes_on_where_it_stands(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    data = scans(tmp_path / "in", 1)[0].read_bytes()
    parcel = browser.post("/parcels", json={"agree": ["care"]}, headers=JSON).json()["id"]
    first = browser.post(
        f"/uploads?parcel={parcel}",
        content=data[:10_000],
        headers={"Upload-Length": str(len(data)), "Upload-Name": "caf%C3%A9.dcm"},
    )
    assert (first.status_code, first.headers["upload-offset"]) == (201, "10000")
    path = first.headers["location"]
    assert browser.post(f"/parcels/{parcel}/send", headers=JSON).status_code == 409  # not whole
    wrong = browser.patch(path, content=b"x", headers={"Upload-Offset": "9999"})
    assert wrong.status_code == 409
    assert browser.head(path).headers["upload-offset"] == "10000"
    long = browser.patch(path, content=bytes(len(data)), headers={"Upload-Offset": "10000"})
    assert long.status_code == 413
    assert browser.head(path).headers["upload-offset"] == "10000"  # nothing of it was taken
    rest = browser.patch(path, content=data[10_000:], headers={"Upload-Offset": "10000"})
    assert rest.json()["whole"] is True
    assert browser.post(f"/parcels/{parcel}/send", headers=JSON).status_code == 200
    site.work()
    page = browser.get(f"/submissions/{parcel}.json").json()
    assert [(one["label"], one["state"]) for one in page["items"]] == [("café.dcm", "done")]


def test_archives_are_opened_and_what_is_known_is_noticed(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    files = scans(tmp_path / "in", 2)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(f"CD/{file.name}", file.read_bytes())
        archive.writestr("../out.dcm", b"x")
        archive.writestr("inner.zip", b"PK\x05\x06" + bytes(18))
    (tmp_path / "cd.zip").write_bytes(packed.getvalue())
    made = site.given(browser, [tmp_path / "cd.zip"])
    page = browser.get(f"/submissions/{made}.json").json()
    assert [one["label"] for one in page["items"]] == [f"cd.zip!/CD/{one.name}" for one in files]
    assert len(page["skipped"]) == 2
    again = site.given(browser, files)
    told = browser.get(f"/submissions/{again}.json", follow_redirects=False)
    assert told.json()["to"] == f"/submissions/{made}"
    assert browser.get(f"/parcels/{again}.json").json()["known"] == 2


def test_nothing_is_taken_without_a_yes_or_beyond_the_limit(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    file = tmp_path / "x.dcm"
    file.write_bytes(bytes(10))
    no = browser.post("/give", files=[("file", ("x.dcm", file.read_bytes()))], headers=JSON)
    assert no.status_code == 403
    large = browser.post(
        "/give", data={"agree": "care"}, files=[("file", ("x", bytes(MIB + 1)))], headers=JSON
    )
    assert large.status_code == 413
    assert browser.post("/give", data={"agree": "care"}, files=[], headers=JSON).status_code == 415
    assert browser.get("/.json").json()["parcels"] == []
    assert [key for key, _ in site.desk.house.store.objects.list("p") if "/upload/" in key] == []


def test_what_is_too_long_is_listed_nowhere(site: Site) -> None:
    answer = site.someone().post(
        "/parcels", content=b" " * (MIB + 1), headers=JSON | {"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    problem = answer.json()["problem"]
    assert "listed" not in problem["kept"]
    assert problem["todo"]


def test_a_body_that_calls_itself_a_form_is_told_what_to_say(site: Site) -> None:
    browser = site.someone()
    answer = browser.post(
        "/uploads?parcel=x",
        content=b"bytes",
        headers=JSON | {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 415
    assert "application/octet-stream" in answer.json()["problem"]["todo"]
