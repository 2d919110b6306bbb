"""What leaves through the gate, what does not, and what is written down about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.egress import urls
from sandbox.egress.authority import Authority
from sandbox.egress.types import AddressRefused, RequestRefused, Unreachable

from .egress_setup import Client, Setup, running


@pytest.fixture
async def setup(tmp_path: Path) -> AsyncIterator[Setup]:
    async with running(tmp_path) as made:
        yield made


def get(url: str, *more: str, host: str = "") -> bytes:
    place = host or url.split("/")[2]
    lines = [f"GET {url} HTTP/1.1", f"Host: {place}", "Connection: close", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def post(url: str, body: bytes, *more: str) -> bytes:
    lines = [f"POST {url} HTTP/1.1", f"Host: {url.split('/')[2]}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def test_a_page_is_fetched_over_http(setup: Setup) -> None:
    answer = await setup.raw(get(setup.plain.url("/news?day=1")))
    assert b" 200 " in answer
    assert b"Hello from /news" in answer
    assert [visit.path for visit in setup.plain.visits] == ["/news?day=1"]
    record = setup.desk.records[0]
    assert (record.outcome, record.status, record.address) == ("sent", 200, "127.0.0.1")


async def test_https_is_opened_and_judged_as_a_whole(setup: Setup) -> None:
    client = await Client.through(setup, "secure.test", setup.secure.port)
    for path in ("/one", "/two"):
        answer = await client.ask(f"GET {path} HTTP/1.1\r\nHost: secure.test:{setup.secure.port}\r\n\r\n".encode())
        assert f"Hello from {path}".encode() in answer
    client.close()
    assert [request.url for request in setup.desk.judged] == [setup.secure.url("/one"), setup.secure.url("/two")]


async def test_a_write_is_held_and_sent_exactly_once_when_agreed(setup: Setup) -> None:
    client = await Client.through(setup, "secure.test", setup.secure.port)
    head = f"POST /orders HTTP/1.1\r\nHost: secure.test:{setup.secure.port}\r\nContent-Length: 9\r\n"
    answer = await client.ask(f"{head}X-Kind: order\r\n\r\nitem=blue".encode())
    client.close()
    assert b" 403 " in answer
    assert b"put to the person for a yes" in answer
    assert b"Do not repeat it" in answer
    assert setup.secure.visits == []
    (held,) = setup.desk.held.values()
    assert (held.method, held.url, held.body) == ("POST", setup.secure.url("/orders"), b"item=blue")
    assert setup.desk.records[0].outcome == "held"

    response = await setup.upstream.send(held)
    assert response.status == 200
    (visit,) = setup.secure.visits
    assert (visit.method, visit.path, visit.body) == ("POST", "/orders", b"item=blue")
    assert visit.headers["x-kind"] == "order"


async def test_a_chunked_upload_is_read_whole_before_it_is_judged(setup: Setup) -> None:
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (b"a" * 70_000, b"b" * 70_000, b"c"))
    head = f"PUT {setup.plain.url('/file')} HTTP/1.1\r\nHost: plain.test:{setup.plain.port}\r\n"
    await setup.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + pieces + b"0\r\n\r\n")
    (held,) = setup.desk.held.values()
    assert held.body == b"a" * 70_000 + b"b" * 70_000 + b"c"


async def test_a_large_upload_through_tls_is_read_whole(setup: Setup) -> None:
    client = await Client.through(setup, "secure.test", setup.secure.port)
    body = bytes(range(256)) * 8000
    head = f"POST /f HTTP/1.1\r\nHost: secure.test:{setup.secure.port}\r\nContent-Length: {len(body)}\r\n\r\n"
    assert b" 403 " in await client.ask(head.encode() + body)
    client.close()
    (held,) = setup.desk.held.values()
    assert held.body == body


async def test_an_upload_over_ten_mebibytes_is_refused_in_words(setup: Setup) -> None:
    answer = await setup.raw(post(setup.plain.url("/"), bytes(10 * 1024**2 + 1)))
    assert b" 413 " in answer
    assert b"at most 10 MiB" in answer
    assert setup.desk.judged == []


async def test_a_get_with_a_body_counts_as_a_write(setup: Setup) -> None:
    lines = f"GET {setup.plain.url()} HTTP/1.1\r\nHost: plain.test:{setup.plain.port}\r\nContent-Length: 1\r\n\r\nx"
    assert b" 403 " in await setup.raw(lines.encode())
    assert setup.plain.visits == []


async def test_a_streamed_answer_comes_through_whole(setup: Setup) -> None:
    answer = await setup.raw(get(setup.plain.url("/streamed")))
    assert answer.count(b"49\n") == 1000


async def test_an_answer_over_the_cap_is_refused_in_words(setup: Setup) -> None:
    answer = await setup.raw(get(setup.plain.url("/large")))
    assert b" 502 " in answer
    assert b"3,000,000 bytes" in answer


async def test_an_answer_that_breaks_off_is_not_passed_as_whole(setup: Setup) -> None:
    answer = await setup.raw(get(setup.plain.url("/cut")))
    assert b"content-length: 100000" in answer.lower()
    assert len(answer) < 100_000
    assert setup.desk.records[0].outcome == "failed"


async def test_a_site_that_hangs_up_is_reported(setup: Setup) -> None:
    answer = await setup.raw(get(setup.plain.url("/mute")))
    assert b" 502 " in answer
    assert b"plain.test gave no answer" in answer


async def test_hop_by_hop_headers_stay_behind(setup: Setup) -> None:
    more = ("Proxy-Authorization: Basic eDp5", "Connection: x-private", "X-Private: 1", "X-Public: 2", "TE: trailers")
    lines = [f"GET {setup.plain.url()} HTTP/1.1", f"Host: plain.test:{setup.plain.port}", *more]
    reader, writer = await asyncio.open_unix_connection(str(setup.socket))
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await asyncio.wait_for(reader.readuntil(b"</p>"), 20)
    writer.close()
    (visit,) = setup.plain.visits
    assert visit.headers["x-public"] == "2"
    assert not {"proxy-authorization", "x-private", "te"} & set(visit.headers)


async def test_a_websocket_is_refused_in_words(setup: Setup) -> None:
    answer = await setup.raw(get(setup.plain.url(), "Upgrade: websocket", "Sec-WebSocket-Version: 13"))
    assert b" 501 " in answer
    assert b"WebSocket" in answer


@pytest.mark.parametrize(
    "lines",
    [
        "GET {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET {url} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "GET {url} HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
        "GET {url} HTTP/1.1\r\nHost: {host}\r\nX: 1\r\n Folded: 2\r\nContent-Length : 5\r\n\r\nhello",
        "GET {url} HTTP/1.1\r\nHost: other.test\r\n\r\n",
        "GET {url} HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET ftp://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET http://user:pw@{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "nonsense\r\n\r\n",
    ],
)
async def test_a_request_that_could_be_read_two_ways_is_refused(setup: Setup, lines: str) -> None:
    asked = lines.format(url=setup.plain.url(), host=f"plain.test:{setup.plain.port}")
    answer = await setup.raw(asked.encode())
    assert b" 40" in answer.split(b"\r\n")[0] or b" 501 " in answer.split(b"\r\n")[0]
    assert setup.plain.visits == []


async def test_the_host_header_inside_a_tunnel_must_name_the_tunnels_host(setup: Setup) -> None:
    client = await Client.through(setup, "secure.test", setup.secure.port)
    answer = await client.ask(b"GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n")
    client.close()
    assert b" 400 " in answer
    assert setup.secure.visits == []


async def test_a_private_host_is_refused_in_words_that_name_the_setting(setup: Setup) -> None:
    client = await Client.through(setup, "intranet.test", 443)
    answer = await client.ask(b"GET / HTTP/1.1\r\nHost: intranet.test\r\n\r\n")
    client.close()
    assert b" 403 " in answer
    assert b"THREADHAND_EGRESS_ALLOW" in answer
    assert setup.desk.records[0].outcome == "refused"


async def test_a_host_named_with_its_port_is_open_at_that_port_only(setup: Setup) -> None:
    with pytest.raises(AddressRefused):
        await setup.fetcher.fetch(f"http://plain.test:{setup.secure.port}/")
    assert (await setup.fetcher.fetch(setup.plain.url())).status == 200


async def test_a_name_that_does_not_exist_is_said_not_to(setup: Setup) -> None:
    assert b"no address for nowhere.invalid" in await setup.raw(get("http://nowhere.invalid/"))


async def test_a_page_is_fetched_for_the_bot_and_unpacked(setup: Setup) -> None:
    response = await setup.fetcher.fetch(setup.secure.url("/zipped"))
    assert response.body == b"unpacked"
    assert setup.desk.records[-1].status == 200


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut(setup: Setup) -> None:
    response = await setup.fetcher.fetch(setup.plain.url("/bomb"), limit=100_000)
    assert len(response.body) == 100_000
    assert response.truncated


async def test_every_hop_of_a_redirect_is_judged_and_checked(setup: Setup) -> None:
    response = await setup.fetcher.fetch(setup.plain.url(f"/redirect?to={setup.secure.url('/there')}"))
    assert response.url == setup.secure.url("/there")
    assert len(setup.desk.judged) == 2
    with pytest.raises(AddressRefused):
        await setup.fetcher.fetch(setup.plain.url("/redirect?to=http://169.254.169.254/latest/meta-data"))
    with pytest.raises(AddressRefused):
        await setup.fetcher.fetch(setup.plain.url("/redirect?to=file:///etc/passwd"))


async def test_endless_redirects_end(setup: Setup) -> None:
    path = "/redirect?to=" + "/redirect%3Fto%3D" * 0 + "%2Fredirect%3Fto%3D%252F"
    assert (await setup.fetcher.fetch(setup.plain.url(path))).status == 200
    with pytest.raises(Unreachable, match="redirects more than"):
        await setup.fetcher.fetch(setup.plain.url(f"/redirect?to={'/redirect?to=' * 40}"))


async def test_a_site_whose_certificate_nobody_vouches_for_is_refused(setup: Setup) -> None:
    with pytest.raises(Unreachable, match="certificate"):
        await setup.fetcher.fetch(f"https://stranger.test:{setup.secure.port}/")


async def test_a_fetch_that_policy_holds_says_so(setup: Setup) -> None:
    from sandbox.egress.fetch import Fetcher
    from sandbox.egress.gate import Rules
    from sandbox.egress.types import EgressRequest, Hold, Refuse, Verdict

    async def judge(request: EgressRequest) -> Verdict:
        return Hold("h1", "unknown site") if request.url.endswith("/hold") else Refuse("not this site")

    fetcher = Fetcher(setup.upstream, Rules("s1", judge, setup.desk.record))
    with pytest.raises(RequestRefused) as held:
        await fetcher.fetch(setup.plain.url("/hold"))
    assert held.value.hold == "h1"
    with pytest.raises(RequestRefused, match="not this site"):
        await fetcher.fetch(setup.plain.url("/other"))
    assert setup.plain.visits == []


async def test_a_request_that_broke_off_says_it_may_have_been_sent(setup: Setup) -> None:
    with pytest.raises(Unreachable) as broken:
        await setup.upstream.send(urls.request("POST", setup.plain.url("/mute"), (), b"x"))
    assert broken.value.maybe_sent
    assert len(setup.plain.visits) == 1


def test_the_authoritys_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    first, second = Authority(tmp_path / "ca"), Authority(tmp_path / "ca")
    assert first.certificate.read_bytes() == second.certificate.read_bytes()
    assert b"PRIVATE" not in first.certificate.read_bytes()
    for file in (tmp_path / "ca").iterdir():
        assert (b"PRIVATE" in file.read_bytes()) == (file.stat().st_mode & 0o777 == 0o600)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("HTTP://Plain.TEST", "http://plain.test/"),
        ("https://plain.test.:443/a b?q=ü#part", "https://plain.test/a%20b?q=%C3%BC"),
        ("http://bücher.test:80/", "http://xn--bcher-kva.test/"),
        ("http://[2606:4700::1]/", "http://[2606:4700::1]/"),
        ("http://plain.test?x=1", "http://plain.test/?x=1"),
        ("http://plain.test/%2e%2E/a\\b", "http://plain.test/%2e%2E/a%5Cb"),
    ],
)
def test_a_url_has_one_form(written: str, url: str) -> None:
    assert urls.request("GET", written).url == url
