"""A session with Earth Engine: signing in, requesting pixels, and explaining its errors in plain words."""

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from terraform.config import Downloads, EarthEngineSource
from terraform.errors import RemoteError
from terraform.sources.catalog.earthengine.account import PROJECTS, SIGN_IN, Credentials, find_credentials
from terraform.sources.catalog.earthengine.assets import BANDS, DTYPE
from terraform.sources.catalog.earthengine.transport import Transport
from terraform.sources.remote.hosts import Access
from terraform.sources.remote.response import InvalidResponse, Resumable, RetryLater, plain_text
from terraform.sources.remote.retry import Deadline, pause_s, retry_after_s
from terraform.sources.remote_raster.request_grid import ARC_SECOND, ROW_S, RequestWindow

T = TypeVar("T")

_LATER = {408, 429, 500, 502, 503, 504}
_TOO_MUCH = ("request size", "memory limit", "timed out", "dimensions")
"""Words of refusals that a smaller request heals."""


class TooMuch(Exception):
    """The request is too large, or takes too long, for one answer."""


class Session:
    """Earth Engine, signed in. One process has one at a time: the client keeps it in a global.

    Parameters
    ----------
    settings : EarthEngineSource
        Where it is.
    downloads : Downloads
        Timeouts, attempts, pauses.

    Raises
    ------
    RemoteError
        It cannot be reached, or refuses these credentials or this project.
    """

    def __init__(self, settings: EarthEngineSource, downloads: Downloads) -> None:
        self._downloads = downloads
        self._jitter = random.SystemRandom()
        access = Access("earthengine", settings.base_url, settings.hosts, settings.connections)
        self._who = find_credentials()
        self._transport = Transport(access, downloads)
        self._patiently(lambda: self._initialise(settings.base_url))

    def image(self, make: Callable[[Any], Any]) -> Any:
        """Make an image with the client's module."""
        import ee

        return make(ee)

    def pixels(self, image: Any, window: RequestWindow) -> NDArray[np.void]:
        """Fetch the pixels of `Asset.image` in a window, a structured array (H, W) of `DTYPE`.

        Raises
        ------
        TooMuch
            Another attempt is of no use, a smaller window may be.
        RemoteError
            The service refuses, fails or asks to come back later.
        """
        import ee

        asked = {
            "expression": image, "fileFormat": "NUMPY_NDARRAY", "bandIds": list(BANDS), "grid": _grid(window),
        }  # fmt: skip

        def once() -> NDArray[np.void]:
            made = ee.data.computePixels(asked)
            if made.shape != window.shape or made.dtype != DTYPE:
                raise RetryLater(f"asked for {window.shape} of {DTYPE}, it sends {made.shape} of {made.dtype}")
            return np.asarray(made)

        return self._patiently(once)

    def _initialise(self, base_url: str) -> None:
        import ee

        ee.Reset()
        ee.data.setMaxRetries(0)  # the client would ignore Retry-After, and retry for a minute inside each of ours
        with _impatient(self._downloads.read_timeout_s):
            ee.Initialize(
                self._who.credentials, url=base_url.rstrip("/"), project=self._who.project,
                http_transport=self._transport,
            )  # fmt: skip

    def _patiently(self, once: Callable[[], T]) -> T:
        """Try until it works, within the limits of `downloads`."""
        settings = self._downloads
        deadline = Deadline(settings.deadline_s)
        for attempt in range(1, settings.attempts + 1):
            try:
                return self._explained(once)
            except RetryLater as error:
                asked = error.after_s or 0.0
                pause = max(asked, pause_s(attempt, settings.backoff_s, self._jitter))
                if attempt == settings.attempts or asked > settings.longest_wait_s or pause > deadline.left_s:
                    raise _resume(error, attempt) from None
                time.sleep(pause)
        raise AssertionError("attempts is at least 1")

    def _explained(self, once: Callable[[], T]) -> T:
        """Every way in which the client fails, as one of ours."""
        import ee
        from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
        from googleapiclient.errors import Error as ClientError

        try:
            return once()
        except ee.EEException as error:
            raise _meant(error, self._who) from None
        except InvalidResponse as error:
            raise RetryLater(str(error)) from None
        except TimeoutError:
            raise RetryLater("it does not answer in time") from None
        except ConnectionError:
            raise RetryLater("the connection broke") from None
        except RefreshError as error:
            if error.retryable:
                raise RetryLater("Google's sign-in is out of order") from None
            raise RemoteError(f"Earth Engine: Google refuses the credentials of this machine: {SIGN_IN}") from None
        except TransportError:
            raise RetryLater("Google's sign-in cannot be reached") from None
        except GoogleAuthError as error:
            raise RemoteError(f"Earth Engine: signing in failed ({type(error).__name__}): {SIGN_IN}") from None
        except (ClientError, ValueError, KeyError) as error:
            raise RetryLater(f"it sends something else than was asked for ({type(error).__name__})") from None


def _grid(window: RequestWindow) -> dict[str, object]:
    """As Earth Engine wants it: the affine transform of the outer corners (REST reference, PixelGrid)."""
    height, width = window.shape
    return {
        "dimensions": {"width": width, "height": height},
        "crsCode": "EPSG:4326",
        "affineTransform": {
            "scaleX": window.step_deg, "shearX": 0, "translateX": window.west,
            "shearY": 0, "scaleY": -ROW_S * ARC_SECOND, "translateY": window.north,
        },
    }  # fmt: skip


def _meant(error: Exception, who: Credentials) -> Exception:
    """Translate an exception of the client into what it means for the user."""
    reply = getattr(error.__context__, "resp", None)
    status = int(getattr(reply, "status", 0) or 0)
    said = plain_text(str(error).replace(who.project, "PROJECT").encode())
    if status in _LATER:
        return RetryLater(f"status {status}: {said}", retry_after_s(reply.get("retry-after")) if reply else None)
    if status in (0, 400) and any(word in said.lower() for word in _TOO_MUCH):
        return TooMuch(said)
    if status == 401:
        return RemoteError(f"Earth Engine does not accept the credentials of this machine ({said}): {SIGN_IN}")
    if status == 403:
        return RemoteError(
            f"Earth Engine refuses this project or account ({said}): register the project for Earth Engine, switch "
            f"its API on, and give the account the role Earth Engine Resource Viewer; {PROJECTS[0]} names the project"
        )
    return RemoteError(f"Earth Engine refuses (status {status or 'unknown'}): {said}")


def _resume(error: RetryLater, attempts: int) -> Resumable:
    wait = f"; it asks to come back in {error.after_s:.0f} s" if error.after_s else ""
    return Resumable(f"Earth Engine: {error} ({attempts} attempts){wait}", "; if it is a quota, it renews itself")


@contextmanager
def _impatient(seconds: float) -> Iterator[None]:
    """Set a timeout for what the client fetches past its transport: a list of deprecated assets."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
