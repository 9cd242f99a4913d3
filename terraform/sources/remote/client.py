"""The client of all remote sources: polite, patient up to a limit, and clear about what a service said."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urljoin

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError, SSLError

from terraform.config import Downloads
from terraform.errors import RemoteError
from terraform.sources.remote.hosts import Access, pool, redact_url
from terraform.sources.remote.response import (
    ContentType,
    InvalidResponse,
    NotFound,
    Response,
    Resumable,
    RetryLater,
    describe_error,
    plain_text,
    type_mismatch,
)
from terraform.sources.remote.retry import Deadline, pause_s, retry_after_s
from terraform.version import __version__

T = TypeVar("T")

_CHUNK = 1 << 16
_PROGRESS = 1 << 20
_MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_RETRY_STATUSES = {408, 425, 429, 500, 502, 503, 504}


@dataclass
class _Request(Generic[T]):
    """One thing to fetch, in any number of attempts."""

    url: str
    receive: Callable[[Response], T]
    headers: Callable[[], Mapping[str, str]]
    deadline: Deadline
    got: int = 0


class Client:
    """Requests to the hosts of one source.

    It names itself, opens a bounded number of connections to a host, checks every redirect, follows the pace that the
    service asks for, and gives up at a deadline.

    Parameters
    ----------
    access : Access
        Where it may go.
    settings : Downloads
        Timeouts, attempts, pauses.
    jitter : random.Random, optional
        Spreads the pauses; by default from the system.
    """

    def __init__(self, access: Access, settings: Downloads, jitter: random.Random | None = None) -> None:
        self.access = access
        self.settings = settings
        self.counted = Traffic()
        self._jitter = jitter or random.SystemRandom()
        self._public = pool(access.connections, private=False)
        self._own = pool(access.connections, private=True)
        contact = f"; {settings.contact}" if settings.contact else ""
        self._headers = {"User-Agent": f"terraform-planets/{__version__} (learns how Earth looks{contact})"}

    def get(
        self, url: str, content_type: ContentType, most: int, check: Callable[[bytes], object] | None = None
    ) -> bytes:
        """Get the body of an address, of the content type that was asked for.

        Parameters
        ----------
        most : int
            Bytes at most.
        check : callable, optional
            Looks at the body; it raises `InvalidResponse` where another attempt is worth it.

        Raises
        ------
        NotFound
            There is no such thing.
        RemoteError
            The service refuses, fails, asks to come back later, or sends something else, in its own words.
        """

        def receive(response: Response) -> bytes:
            body = response.read_all(most)
            against = (
                "an empty body"
                if not body
                else type_mismatch(content_type, response.headers.get("Content-Type"), body[:64])
            )
            if response.status != 200 or against:
                against = against or f"status {response.status}"
                raise InvalidResponse(
                    f"it did not send {content_type.name} ({against}): {plain_text(body) or 'it says nothing'}"
                )
            if check is not None:
                check(body)
            return body

        return self.request(url, receive, most)

    def request(
        self,
        url: str,
        receive: Callable[[Response], T],
        expected: int,
        headers: Callable[[], Mapping[str, str]] = dict,
        keeps: bool = False,
    ) -> T:
        """Request an address until `receive` accepts the response, within the limits of `downloads`.

        Parameters
        ----------
        receive : callable
            Reads the response (status 200, 206 or 416). It raises `InvalidResponse` where another attempt is worth it.
        expected : int
            Bytes that are expected; they extend the deadline.
        headers : callable, optional
            Headers of each attempt.
        keeps : bool
            What an attempt received is not lost: attempts are counted from one again after each that brought something.

        Raises
        ------
        NotFound, RemoteError
        """
        seconds = self.settings.deadline_s + expected / self.settings.slowest_bytes_per_s
        request = _Request(url, receive, headers, Deadline(seconds))
        attempt = 0
        while True:
            before = request.got
            try:
                return self._once(request)
            except (InvalidResponse, RetryLater, HTTPError) as error:
                attempt = 0 if keeps and request.got > before + _PROGRESS else attempt + 1
                self._wait(request, attempt, error)

    def _wait(self, request: _Request[T], attempt: int, error: Exception) -> None:
        """Pause before the next attempt, or give up."""
        settings, reason = self.settings, describe_error(error)
        if isinstance(error, SSLError) or isinstance(error.__cause__, SSLError):
            raise RemoteError(
                f"{redact_url(request.url)}: the connection is not trustworthy ({error}): check the clock and the "
                "certificates of this machine"
            ) from None
        asked = (error.after_s or 0.0) if isinstance(error, RetryLater) else 0.0
        if asked > settings.longest_wait_s:
            raise _resumable(request.url, f"{reason}; it asks to come back in {asked:.0f} s") from None
        if attempt >= settings.attempts:
            raise _resumable(request.url, f"{reason} ({attempt} attempts)") from None
        pause = max(asked, pause_s(attempt, settings.backoff_s, self._jitter))
        if pause >= request.deadline.left_s:
            raise _resumable(request.url, f"{reason}; no time is left for another attempt") from None
        time.sleep(pause)

    def _once(self, request: _Request[T]) -> T:
        url = request.url
        for _ in range(_MOST_REDIRECTS + 1):
            raw = self._open(url, request)
            try:
                if raw.status in _REDIRECTS and "Location" in raw.headers:
                    url = urljoin(url, raw.headers["Location"])
                    continue
                response = Response(raw.status, raw.headers, url, self._chunks(raw, request))
                self._raise_for_status(response)
                return request.receive(response)
            finally:
                _release(raw)
        raise RemoteError(
            f"{redact_url(url)}: more than {_MOST_REDIRECTS} redirects: set base_url to where the data are now"
        )

    def _open(self, url: str, request: _Request[T]) -> BaseHTTPResponse:
        self.access.check(url)
        settings, left = self.settings, request.deadline.left_s
        if left <= 0:
            raise _resumable(url, "the deadline has passed")
        timeout = Timeout(connect=min(settings.connect_timeout_s, left), read=min(settings.read_timeout_s, left))
        manager: PoolManager = self._own if self.access.may_be_private(url) else self._public
        self.counted.add(requests=1)
        return manager.request(
            "GET", url, headers={**self._headers, "Accept-Encoding": "identity", **request.headers()}, redirect=False,
            retries=False, preload_content=False, decode_content=False, timeout=timeout, pool_timeout=left,
        )  # fmt: skip

    def _chunks(self, raw: BaseHTTPResponse, request: _Request[T]) -> Iterator[bytes]:
        # read1 returns what has come: read would wait for a whole chunk, and a trickle would outlast any deadline.
        while chunk := raw.read1(_CHUNK):
            self.counted.add(received=len(chunk))
            request.got += len(chunk)
            yield chunk
            if request.deadline.left_s <= 0:
                raise _resumable(request.url, "it sends too slowly, the deadline has passed")

    def _raise_for_status(self, response: Response) -> None:
        """Raise for what no caller wants."""
        status = response.status
        if status in (200, 206, 416):
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise InvalidResponse(
                    f"it compresses ({response.headers['Content-Encoding']}) what was asked for as it is"
                )
            return
        said = plain_text(next(response.chunks, b"")) or "it says nothing"
        if status in (404, 410):
            raise NotFound(f"{redact_url(response.url)} does not exist (status {status}): {said}")
        if status in _RETRY_STATUSES:
            raise RetryLater(f"status {status}: {said}", retry_after_s(response.headers.get("Retry-After")))
        raise RemoteError(
            f"{redact_url(response.url)} refuses (status {status}): {said}; check base_url of "
            f"{self.access.source}, and whether the service needs an account"
        )


class Traffic:
    """Requests and body bytes of a client so far; for reports and tests."""

    def __init__(self) -> None:
        self.requests = 0
        self.bytes = 0
        self._lock = threading.Lock()

    def add(self, requests: int = 0, received: int = 0) -> None:
        """Count."""
        with self._lock:
            self.requests += requests
            self.bytes += received


def _resumable(url: str, reason: str) -> Resumable:
    return Resumable(f"{redact_url(url)}: {reason}")


def _release(raw: BaseHTTPResponse) -> None:
    """Return the connection; close it where its response was not read to the end.

    What is left would be taken for the next response.
    """
    if getattr(raw, "length_remaining", None) == 0:
        raw.drain_conn()
    else:
        raw.close()
    raw.release_conn()
