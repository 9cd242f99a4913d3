"""How the Earth Engine client reaches its service: by our guarded connections, with timeouts and a limit on sizes."""

from collections.abc import Mapping
from typing import Any

import httplib2
from urllib3 import Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from terraform.config import Downloads
from terraform.errors import RemoteError
from terraform.sources.remote.hosts import Access, pool
from terraform.sources.remote.response import InvalidResponse, media_type, plain_text
from terraform.sources.remote.retry import Deadline

_MOST_BYTES = 64 << 20
_CHUNK = 1 << 16
_PAGES = ("text/html", "text/xml", "application/xml", "text/plain")


class Transport:
    """What `ee.Initialize(http_transport=...)` takes: one request in, status, headers and body out.

    The client alone would wait for ever, follow any redirect and read an answer of any size.

    Raises
    ------
    RemoteError
        The address is not one that this source may reach, or the answer is too large.
    InvalidResponse
        A page of a login or a proxy came with status 200.
    TimeoutError, ConnectionError
        No answer, or a broken one: the client and google-auth know these as passing.
    """

    def __init__(self, access: Access, downloads: Downloads) -> None:
        self._access = access
        self._downloads = downloads
        self._public = pool(access.connections, private=False)
        self._own = pool(access.connections, private=True)
        self.timeout = downloads.read_timeout_s
        """Read by google-auth."""

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        """One HTTP request; redirects are not followed."""
        self._access.check(uri)
        settings = self._downloads
        deadline = Deadline(settings.deadline_s)
        manager = self._own if self._access.may_be_private(uri) else self._public
        timeout = Timeout(connect=settings.connect_timeout_s, read=settings.read_timeout_s)
        try:
            response = manager.request(
                method, uri, body=body, headers=dict(headers or {}), redirect=False, retries=False,
                preload_content=False, timeout=timeout, pool_timeout=settings.deadline_s,
            )  # fmt: skip
            try:
                content = self._read(response, deadline)
            finally:
                response.close()
                response.release_conn()
        except Urllib3Timeout as error:
            raise TimeoutError(str(error)) from error
        except HTTPError as error:
            raise ConnectionError(str(error)) from error
        kind = media_type(response.headers.get("Content-Type"))
        if response.status == 200 and kind in _PAGES:
            raise InvalidResponse(
                f"it sends a page ({kind}) instead of data: {plain_text(content) or 'it says nothing'}"
            )
        return httplib2.Response({**dict(response.headers), "status": str(response.status)}), content

    def _read(self, response: Any, deadline: Deadline) -> bytes:
        content = bytearray()
        while chunk := response.read1(_CHUNK, decode_content=True):
            content += chunk
            if len(content) > _MOST_BYTES:
                raise RemoteError(f"Earth Engine sends more than {_MOST_BYTES >> 20} MB at once: report this")
            if deadline.left_s <= 0:
                raise TimeoutError("the answer came too slowly")
        return bytes(content)
