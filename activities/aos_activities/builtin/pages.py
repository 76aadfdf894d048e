"""Getting pages from hosts that were opened to agents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from aos.errors import RetryableError, SetupError, TerminalError
from aos_activities.builtin.readable import readable

RESPONSE_BYTES = 1024 * 1024
_REDIRECTS = 5
_TIMEOUT = httpx2.Timeout(15.0, connect=5.0)
_HEADERS = {
    "user-agent": "agent-operating-system",
    "accept": "text/html, text/*;q=0.9, application/json;q=0.9",
    "accept-encoding": "identity",
}
_HOST_NAME = re.compile(r"[a-z0-9._:-]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Host:
    """A host as it stands in the list. Without a port it is open on the ports that HTTP has by default."""

    name: str
    port: int | None

    @classmethod
    def read(cls, text: str) -> Host:
        """Return the host in an item of the list.

        Raises:
            SetupError: It cannot be read.
        """
        problem = SetupError(f"AOS_FETCH_HOSTS: {text!r} is no host such as 'example.org' or 'localhost:8000'")
        try:
            url = httpx2.URL(f"//{text.strip()}")
        except httpx2.InvalidURL:
            raise problem from None
        if (
            not _HOST_NAME.fullmatch(_host_name(url))
            or url.userinfo
            or url.path not in ("", "/")
            or url.query
            or url.fragment
        ):
            raise problem
        return cls(_host_name(url), url.port)

    def allows(self, url: httpx2.URL) -> bool:
        """Whether the page may be had."""
        default = _DEFAULT_PORTS[url.scheme]
        port = url.port or default
        return self.name == _host_name(url) and port == (self.port or default)


def _host_name(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii").lower().rstrip(".")


async def get_page(url: str, allowed: Sequence[Host]) -> str:
    """Return the text of the page at `url`.

    Raises:
        RetryableError: It may be had later.
        TerminalError: It is not open to agents, or no text.
    """
    # Not `trust_env`: settings come from the workers, never from the environment behind their back.
    async with httpx2.AsyncClient(timeout=_TIMEOUT, headers=_HEADERS, trust_env=False) as client:
        try:
            return await _fetch(client, _checked(url, allowed), allowed)
        except httpx2.RequestError as error:
            raise RetryableError(f"{url} could not be fetched: {type(error).__name__}: {error}") from error


async def _fetch(client: httpx2.AsyncClient, url: httpx2.URL, allowed: Sequence[Host]) -> str:
    for _ in range(_REDIRECTS + 1):
        async with client.stream("GET", url) as response:
            if response.has_redirect_location:
                url = _checked(str(url.join(response.headers["location"])), allowed)
                continue
            _check_status(response)
            return await _read(response)
    raise TerminalError(f"{url} was reached after {_REDIRECTS} redirects and redirects again")


def _checked(text: str, allowed: Sequence[Host]) -> httpx2.URL:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise TerminalError(f"{text!r} is no address: {error}") from None
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        raise TerminalError(f"{text!r} is no address that starts with http:// or https://")
    if url.userinfo:
        raise TerminalError("an address with a user or password in it is not fetched")
    if not any(host.allows(url) for host in allowed):
        raise TerminalError(
            f"the host {url.netloc.decode('ascii')} is not open to agents; "
            "whoever runs the workers can open it by the setting AOS_FETCH_HOSTS"
        )
    return url


def _check_status(response: httpx2.Response) -> None:
    if response.is_success:
        return
    problem = f"{response.url} answered {response.status_code} {response.reason_phrase}".rstrip()
    if response.status_code not in (408, 429) and response.status_code < 500:
        raise TerminalError(problem)
    wait = response.headers.get("retry-after", "")
    raise RetryableError(problem, retry_after=float(wait) if wait.isascii() and wait.isdigit() else None)


async def _read(response: httpx2.Response) -> str:
    kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if not kind.startswith("text/") and not is_json:
        raise TerminalError(f"{response.url} is {kind or 'of no stated type'}; only text and JSON can be read")
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > RESPONSE_BYTES:
            break
    cut = f", cut after {RESPONSE_BYTES} bytes" if len(data) > RESPONSE_BYTES else ""
    text = _decode(bytes(data[:RESPONSE_BYTES]), response.charset_encoding)
    return f"[url: {response.url}, {kind}{cut}]\n{readable(text) if kind == 'text/html' else text}"


def _decode(data: bytes, charset: str | None) -> str:
    try:
        return data.decode(charset or "utf-8", errors="replace")
    except LookupError:
        return data.decode(errors="replace")
