from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Protocol

import pytest

from aos.errors import RetryableError, SetupError, TerminalError
from aos_activities.builtin.fetch import fetch_tool
from aos_activities.builtin.pages import RESPONSE_BYTES

HTML = {"Content-Type": "text/html; charset=utf-8"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class Web(Protocol):
    host: str
    pages: dict[str, object]
    asked: list[str]

    def url(self, path: str) -> str: ...


async def fetch(url: str, *hosts: str) -> str:
    return await fetch_tool(hosts)(url)


async def test_a_page_is_returned_as_its_text(web: Web) -> None:
    web.pages["/"] = (200, HTML, "<title>Harbour</title><p>High <b>tide</b> at 12&nbsp;°".encode())
    assert await fetch(web.url("/"), web.host) == f"[url: {web.url('/')}, text/html]\nHarbour\nHigh tide at 12 °"


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json", "text/csv"])
async def test_json_and_text_are_returned_as_they_are(web: Web, kind: str) -> None:
    web.pages["/data"] = (200, {"Content-Type": kind}, b'{"a": "<b>"}')
    assert await fetch(web.url("/data"), web.host) == f'[url: {web.url("/data")}, {kind}]\n{{"a": "<b>"}}'


@pytest.mark.parametrize(("charset", "data"), [("latin-1", b"\xe4"), ("no-such", "ä".encode())])
async def test_a_text_is_read_in_its_charset(web: Web, charset: str, data: bytes) -> None:
    web.pages["/"] = (200, {"Content-Type": f"text/plain; charset={charset}"}, data)
    assert (await fetch(web.url("/"), web.host)).endswith("\nä")


async def test_no_host_is_open_unless_it_is_listed(web: Web) -> None:
    for hosts in ((), ("example.org",), ("127.0.0.1",), ("localhost",), ("127.0.0.1:1",)):
        with pytest.raises(TerminalError, match=rf"host {web.host} is not open.*AOS_FETCH_HOSTS"):
            await fetch(web.url("/"), *hosts)
    assert web.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org.evil.test/",
        "http://sub.example.org/",
        "http://example.org:8080/",
        "http://example.org@evil.test/",
        "http://evil.test/?http://example.org/",
        "http://2130706433/",
        "http://[::1]/",
        "http://user:secret@example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "example.org",
        "http://",
        "http://exa mple.org\n/",
    ],
)
async def test_an_address_that_only_looks_like_an_open_host_is_refused(url: str) -> None:
    with pytest.raises(TerminalError) as caught:
        await fetch(url, "example.org")
    assert "secret" not in str(caught.value)


async def test_a_redirect_to_an_open_host_is_followed(web: Web) -> None:
    web.pages["/old"] = (302, {"Location": "/new"}, b"")
    web.pages["/new"] = (200, TEXT, b"here")
    assert await fetch(web.url("/old"), web.host) == f"[url: {web.url('/new')}, text/plain]\nhere"


@pytest.mark.parametrize("target", ["http://localhost:{port}/new", "http://evil.test/", "file:///etc/passwd"])
async def test_a_redirect_to_any_other_host_is_refused(web: Web, target: str) -> None:
    web.pages["/old"] = (302, {"Location": target.format(port=web.host.partition(":")[2])}, b"")
    with pytest.raises(TerminalError):
        await fetch(web.url("/old"), web.host)
    assert web.asked == ["/old"]


async def test_five_redirects_are_followed_and_not_six(web: Web) -> None:
    for hop in range(6):
        web.pages[f"/{hop}"] = (301, {"Location": f"/{hop + 1}"}, b"")
    web.pages["/6"] = (200, TEXT, b"here")
    assert (await fetch(web.url("/1"), web.host)).endswith("here")
    with pytest.raises(TerminalError, match="after 5 redirects"):
        await fetch(web.url("/0"), web.host)


async def test_a_long_page_is_cut(web: Web) -> None:
    web.pages["/"] = (200, TEXT, b"x" * (RESPONSE_BYTES + 1))
    header, _, text = (await fetch(web.url("/"), web.host)).partition("\n")
    assert f"cut after {RESPONSE_BYTES} bytes" in header
    assert text == "x" * RESPONSE_BYTES


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", ""])
async def test_what_is_no_text_is_refused(web: Web, kind: str) -> None:
    web.pages["/"] = (200, {"Content-Type": kind} if kind else {}, b"\x89PNG")
    with pytest.raises(TerminalError, match="only text and JSON"):
        await fetch(web.url("/"), web.host)


async def test_a_page_that_there_is_not_is_final(web: Web) -> None:
    with pytest.raises(TerminalError, match="404 Not Found"):
        await fetch(web.url("/nowhere"), web.host)


@pytest.mark.parametrize(("status", "wait", "delay"), [(503, "7", 7.0), (429, "soon", None), (500, "", None)])
async def test_a_server_in_trouble_is_asked_again(web: Web, status: int, wait: str, delay: float | None) -> None:
    web.pages["/"] = (status, {**TEXT, "Retry-After": wait}, b"later")
    with pytest.raises(RetryableError, match=str(status)) as caught:
        await fetch(web.url("/"), web.host)
    assert caught.value.retry_after == delay


async def test_a_cut_connection_is_tried_again(web: Web) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"only the start")
        handler.close_connection = True

    web.pages["/"] = cut
    with pytest.raises(RetryableError, match="could not be fetched"):
        await fetch(web.url("/"), web.host)


@pytest.mark.parametrize(
    "host", ["", "http://example.org", "example.org/path", "me@example.org", "example.org:port", "a b"]
)
def test_a_host_that_cannot_be_read_is_refused_at_the_start(host: str) -> None:
    with pytest.raises(SetupError, match="AOS_FETCH_HOSTS"):
        fetch_tool([host])


def test_fetching_needs_its_permission() -> None:
    assert fetch_tool([]).describe("aos").policy.permission == "net.fetch"
