"""What comes back: an answer whose body is still to be read, and the ways in which one is of no use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from terraform.errors import RemoteError
from terraform.sources.remote.access import redact_url

_PLAIN = {
    "ReadTimeoutError": "it does not answer in time",
    "ConnectTimeoutError": "it cannot be reached in time",
    "NameResolutionError": "its name cannot be resolved",
    "NewConnectionError": "it cannot be reached",
    "ProtocolError": "the connection broke",
    "IncompleteRead": "the answer ended early",
    "EmptyPoolError": "no connection became free",
    "ProxyError": "the proxy of HTTPS_PROXY refuses or cannot be reached",
}


class NotFound(RemoteError):
    """The service says that there is no such thing (404, 410)."""


class Resumable(RemoteError):
    """It did not come to an end, and can be resumed.

    Attributes
    ----------
    reason : str
        What went wrong, without what to do.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(
            f"{reason}. Nothing that was fetched is lost: run the same command again later to resume{hint}"
        )
        self.reason = reason


class InvalidResponse(Exception):
    """An answer that is not what was asked for, though another attempt may bring it."""


class RetryLater(Exception):
    """Another attempt may heal it, `after_s` seconds later where the service asks for that."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


@dataclass(frozen=True)
class Response:
    """An answer whose body is still to be read, in `chunks`, within the deadline."""

    status: int
    headers: Mapping[str, str]
    url: str
    chunks: Iterator[bytes]

    def read_all(self, most: int) -> bytes:
        """The body.

        Raises
        ------
        RemoteError
            It is larger than `most` bytes.
        """
        declared = self.headers.get("Content-Length", "")
        size = int(declared) if declared.isdigit() else 0
        body = bytearray()
        while size <= most and (chunk := next(self.chunks, b"")):
            body += chunk
            size = len(body)
        if size > most:
            raise RemoteError(
                f"{redact_url(self.url)} sends {size:,} bytes or more where at most {most:,} are expected: "
                "look at it in a browser, it is not what it should be"
            )
        return bytes(body)


def describe_error(error: Exception) -> str:
    """What went wrong, without what urllib3 says of objects and whole addresses."""
    if isinstance(error, InvalidResponse | RetryLater):
        return str(error)
    return _PLAIN.get(type(error).__name__, type(error).__name__)
