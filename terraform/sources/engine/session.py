"""A session with Earth Engine: signing in, asking for pixels, and telling in plain words what it says."""

import json
import os
import random
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from terraform.config import Downloads, EarthEngineSource
from terraform.errors import RemoteError
from terraform.sources.engine.assets import BANDS, DTYPE
from terraform.sources.engine.transport import Transport
from terraform.sources.lattice import ARC_SECOND, ROW_S, Window
from terraform.sources.remote.access import Access
from terraform.sources.remote.answer import Later, Unfinished, Unfit
from terraform.sources.remote.content import words
from terraform.sources.remote.patience import Deadline, pause_s, retry_after_s

T = TypeVar("T")

KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
PROJECTS = ("EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT")
"""Environment variables that name a key file and a project. Neither may stand in the configuration, which is copied
into logs and results."""

_LATER = {408, 429, 500, 502, 503, 504}
_TOO_MUCH = ("request size", "memory limit", "timed out", "dimensions")
"""Words of refusals that a smaller request heals."""
_SIGN_IN = (
    f"set {KEY_FILE} to the key file of a service account, or run `earthengine authenticate` once; "
    "`python -m terraform doctor --online` checks it"
)


class TooMuch(Exception):
    """The request is too large, or takes too long, for one answer."""


@dataclass(frozen=True)
class Identity:
    """Who asks: credentials of google-auth, and the project that is charged. Never shown, never written."""

    credentials: Any
    project: str


def identity() -> Identity:
    """The credentials and the project of this machine, from the places where Google's tools keep them.

    Raises
    ------
    RemoteError
        There are none, they cannot be read, or no project is named.
    """
    credentials, project = _from_key_file() if os.environ.get(KEY_FILE) else _stored()
    named = [os.environ.get(name) for name in PROJECTS]
    chosen = next(filter(None, [*named, credentials.quota_project_id, project]), None)
    if not chosen:
        raise RemoteError(
            f"Earth Engine: no project is named: set {PROJECTS[0]} to the name of a Cloud project that is registered "
            "for Earth Engine, or run `earthengine set_project NAME`"
        )
    return Identity(credentials, chosen)


def _from_key_file() -> tuple[Any, str | None]:
    import google.auth
    from ee import oauth
    from google.auth.exceptions import GoogleAuthError

    path = Path(os.environ[KEY_FILE])
    try:
        with path.open(encoding="utf-8") as file:
            if not isinstance(json.load(file), dict):
                raise ValueError
        load: Any = google.auth.load_credentials_from_file
        credentials, project = load(str(path), scopes=oauth.SCOPES)
    except (OSError, ValueError, GoogleAuthError) as error:
        # Nothing of the file, not even its place, may reach a log.
        raise RemoteError(
            f"Earth Engine: the file that {KEY_FILE} names cannot be used ({type(error).__name__}): it must be "
            "readable, and the JSON key of a service account or credentials of gcloud"
        ) from None
    return credentials, project


def _stored() -> tuple[Any, str | None]:
    """What `earthengine authenticate` or gcloud left, without asking anybody.

    The client's own way would refresh them at once, past the transport with its limits, and take a broken line for
    credentials that are missing.
    """
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2.credentials import Credentials

    kept, build = _arguments(), cast(Any, Credentials)
    try:
        credentials = build(None, **kept) if kept.get("refresh_token") else _default()
    except GoogleAuthError:
        raise RemoteError(f"Earth Engine: there are no credentials on this machine: {_SIGN_IN}") from None
    return credentials, kept.get("quota_project_id") or _project_of(credentials)


def _arguments() -> dict[str, Any]:
    from ee import oauth

    try:
        return dict(oauth.get_credentials_arguments())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise RemoteError(
            f"Earth Engine: the stored credentials cannot be read ({type(error).__name__}): run `earthengine "
            "authenticate --force`"
        ) from None


def _default() -> Any:
    import google.auth
    from ee import oauth

    load: Any = google.auth.default
    with warnings.catch_warnings():
        # Its advice on projects is gcloud's: a project of Earth Engine is named otherwise.
        warnings.simplefilter("ignore")
        return load(scopes=oauth.SCOPES)[0]


def _project_of(credentials: Any) -> str | None:
    """The project in which somebody's own sign-in is registered; those of Google's tools can be charged to nobody."""
    from ee import oauth

    project = oauth.project_number_from_credentials(credentials)
    of_tools = project is None or oauth.is_sdk_project(project) or oauth.CLIENT_ID.startswith(f"{project}-")
    return None if of_tools else str(project)


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
        self._who = identity()
        self._transport = Transport(access, downloads)
        self._patiently(lambda: self._initialise(settings.base_url))

    def image(self, make: Callable[[Any], Any]) -> Any:
        """An image made with the client's module."""
        import ee

        return make(ee)

    def pixels(self, image: Any, window: Window) -> NDArray[np.void]:
        """The pixels of `Asset.image` in a window, a structured array (H, W) of `DTYPE`.

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
                raise Later(f"asked for {window.shape} of {DTYPE}, it sends {made.shape} of {made.dtype}")
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
            except Later as error:
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
        except Unfit as error:
            raise Later(str(error)) from None
        except TimeoutError:
            raise Later("it does not answer in time") from None
        except ConnectionError:
            raise Later("the connection broke") from None
        except RefreshError as error:
            if error.retryable:
                raise Later("Google's sign-in is out of order") from None
            raise RemoteError(f"Earth Engine: Google refuses the credentials of this machine: {_SIGN_IN}") from None
        except TransportError:
            raise Later("Google's sign-in cannot be reached") from None
        except GoogleAuthError as error:
            raise RemoteError(f"Earth Engine: signing in failed ({type(error).__name__}): {_SIGN_IN}") from None
        except (ClientError, ValueError, KeyError) as error:
            raise Later(f"it sends something else than was asked for ({type(error).__name__})") from None


def _grid(window: Window) -> dict[str, object]:
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


def _meant(error: Exception, who: Identity) -> Exception:
    """What an exception of the client means for the user."""
    reply = getattr(error.__context__, "resp", None)
    status = int(getattr(reply, "status", 0) or 0)
    said = words(str(error).replace(who.project, "PROJECT").encode())
    if status in _LATER:
        return Later(f"status {status}: {said}", retry_after_s(reply.get("retry-after")) if reply else None)
    if status in (0, 400) and any(word in said.lower() for word in _TOO_MUCH):
        return TooMuch(said)
    if status == 401:
        return RemoteError(f"Earth Engine does not accept the credentials of this machine ({said}): {_SIGN_IN}")
    if status == 403:
        return RemoteError(
            f"Earth Engine refuses this project or account ({said}): register the project for Earth Engine, switch "
            f"its API on, and give the account the role Earth Engine Resource Viewer; {PROJECTS[0]} names the project"
        )
    return RemoteError(f"Earth Engine refuses (status {status or 'unknown'}): {said}")


def _resume(error: Later, attempts: int) -> Unfinished:
    wait = f"; it asks to come back in {error.after_s:.0f} s" if error.after_s else ""
    return Unfinished(f"Earth Engine: {error} ({attempts} attempts){wait}", "; if it is a quota, it renews itself")


@contextmanager
def _impatient(seconds: float) -> Iterator[None]:
    """A timeout for what the client fetches past its transport: a list of deprecated assets."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
