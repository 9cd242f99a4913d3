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

from terraform import __version__
from terraform.config import Downloads
from terraform.errors import RemoteError
from terraform.sources.remote.access import Access, shown
from terraform.sources.remote.connections import pool
from terraform.sources.remote.content import Kind, unlike, words
from terraform.sources.remote.response import Answer, Later, Missing, Unfinished, Unfit, told
from terraform.sources.remote.retry import Deadline, pause_s, retry_after_s

T = TypeVar("T")

_CHUNK = 1 << 16
_PROGRESS = 1 << 20
_MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_COME_AGAIN = {408, 425, 429, 500, 502, 503, 504}


@dataclass
class _Errand(Generic[T]):
    """One thing to fetch, however many attempts it takes."""

    url: str
    receive: Callable[[Answer], T]
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

    def get(self, url: str, kind: Kind, most: int, check: Callable[[bytes], object] | None = None) -> bytes:
        """The body of an address, of the kind that was asked for.

        Parameters
        ----------
        most : int
            Bytes at most.
        check : callable, optional
            Looks at the body; it raises `Unfit` where another attempt is worth it.

        Raises
        ------
        Missing
            There is no such thing.
        RemoteError
            The service refuses, fails, asks to come back later, or sends something else, in its own words.
        """

        def receive(answer: Answer) -> bytes:
            body = answer.whole(most)
            against = "an empty body" if not body else unlike(kind, answer.headers.get("Content-Type"), body[:64])
            if answer.status != 200 or against:
                against = against or f"status {answer.status}"
                raise Unfit(f"it did not send {kind.name} ({against}): {words(body) or 'it says nothing'}")
            if check is not None:
                check(body)
            return body

        return self.ask(url, receive, most)

    def ask(
        self,
        url: str,
        receive: Callable[[Answer], T],
        expected: int,
        headers: Callable[[], Mapping[str, str]] = dict,
        keeps: bool = False,
    ) -> T:
        """What `receive` makes of the answer to a GET, after as many attempts as it takes within the limits.

        Parameters
        ----------
        receive : callable
            Reads the answer (status 200, 206 or 416). It raises `Unfit` where another attempt is worth it.
        expected : int
            Bytes that are expected; they extend the deadline.
        headers : callable, optional
            Headers of each attempt.
        keeps : bool
            What an attempt received is not lost: attempts are counted anew after each that brought something.

        Raises
        ------
        Missing, RemoteError
        """
        seconds = self.settings.deadline_s + expected / self.settings.slowest_bytes_per_s
        errand = _Errand(url, receive, headers, Deadline(seconds))
        attempt = 0
        while True:
            before = errand.got
            try:
                return self._once(errand)
            except (Unfit, Later, HTTPError) as error:
                attempt = 0 if keeps and errand.got > before + _PROGRESS else attempt + 1
                self._wait(errand, attempt, error)

    def _wait(self, errand: _Errand[T], attempt: int, error: Exception) -> None:
        """Pause before the next attempt, or give up."""
        settings, reason = self.settings, told(error)
        if isinstance(error, SSLError) or isinstance(error.__cause__, SSLError):
            raise RemoteError(
                f"{shown(errand.url)}: the connection is not trustworthy ({error}): check the clock and the "
                "certificates of this machine"
            ) from None
        asked = (error.after_s or 0.0) if isinstance(error, Later) else 0.0
        if asked > settings.longest_wait_s:
            raise _resume(errand.url, f"{reason}; it asks to come back in {asked:.0f} s") from None
        if attempt >= settings.attempts:
            raise _resume(errand.url, f"{reason} ({attempt} attempts)") from None
        pause = max(asked, pause_s(attempt, settings.backoff_s, self._jitter))
        if pause >= errand.deadline.left_s:
            raise _resume(errand.url, f"{reason}; no time is left for another attempt") from None
        time.sleep(pause)

    def _once(self, errand: _Errand[T]) -> T:
        url = errand.url
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._open(url, errand)
            try:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    url = urljoin(url, response.headers["Location"])
                    continue
                answer = Answer(response.status, response.headers, url, self._chunks(response, errand))
                self._judge(answer)
                return errand.receive(answer)
            finally:
                _finished(response)
        raise RemoteError(
            f"{shown(url)}: more than {_MOST_REDIRECTS} redirects: set base_url to where the data are now"
        )

    def _open(self, url: str, errand: _Errand[T]) -> BaseHTTPResponse:
        self.access.check(url)
        settings, left = self.settings, errand.deadline.left_s
        if left <= 0:
            raise _resume(url, "the deadline has passed")
        timeout = Timeout(connect=min(settings.connect_timeout_s, left), read=min(settings.read_timeout_s, left))
        manager: PoolManager = self._own if self.access.may_be_private(url) else self._public
        self.counted.add(requests=1)
        return manager.request(
            "GET", url, headers={**self._headers, "Accept-Encoding": "identity", **errand.headers()}, redirect=False,
            retries=False, preload_content=False, decode_content=False, timeout=timeout, pool_timeout=left,
        )  # fmt: skip

    def _chunks(self, response: BaseHTTPResponse, errand: _Errand[T]) -> Iterator[bytes]:
        # read1 returns what has come: read would wait for a whole chunk, and a trickle would outlast any deadline.
        while chunk := response.read1(_CHUNK):
            self.counted.add(received=len(chunk))
            errand.got += len(chunk)
            yield chunk
            if errand.deadline.left_s <= 0:
                raise _resume(errand.url, "it sends too slowly, the deadline has passed")

    def _judge(self, answer: Answer) -> None:
        """Raise for what no caller wants."""
        status = answer.status
        if status in (200, 206, 416):
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise Unfit(f"it compresses ({answer.headers['Content-Encoding']}) what was asked for as it is")
            return
        said = words(next(answer.chunks, b"")) or "it says nothing"
        if status in (404, 410):
            raise Missing(f"{shown(answer.url)} does not exist (status {status}): {said}")
        if status in _COME_AGAIN:
            raise Later(f"status {status}: {said}", retry_after_s(answer.headers.get("Retry-After")))
        raise RemoteError(
            f"{shown(answer.url)} refuses (status {status}): {said}; check base_url of {self.access.source}, and "
            "whether the service needs an account"
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


def _resume(url: str, reason: str) -> Unfinished:
    return Unfinished(f"{shown(url)}: {reason}")


def _finished(response: BaseHTTPResponse) -> None:
    """Return the connection; close it where its answer was not read to the end, since what is left would be taken for
    the next answer."""
    if getattr(response, "length_remaining", None) == 0:
        response.drain_conn()
    else:
        response.close()
    response.release_conn()
