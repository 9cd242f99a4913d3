"""Who asks Earth Engine: the credentials and the project of this machine, from where Google's tools keep them."""

import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from terraform.errors import RemoteError

KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
PROJECTS = ("EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT")
"""Environment variables that name a key file and a project. Neither may stand in the configuration, which is copied
into logs and results."""

SIGN_IN = (
    f"set {KEY_FILE} to the key file of a service account, or run `earthengine authenticate` once; "
    "`python -m terraform doctor --online` checks it"
)
"""What to do without credentials."""


@dataclass(frozen=True)
class Credentials:
    """Who asks: credentials of google-auth, and the project that is charged. Never shown, never written."""

    credentials: Any
    project: str


def find_credentials() -> Credentials:
    """Find the credentials and the project of this machine where Google's tools keep them.

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
    return Credentials(credentials, chosen)


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
    """Read what `earthengine authenticate` or gcloud left, without asking anybody.

    The client's own way would refresh them at once, past the transport with its limits, and take a broken line for
    credentials that are missing.
    """
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2.credentials import Credentials

    kept, build = _arguments(), cast(Any, Credentials)
    try:
        credentials = build(None, **kept) if kept.get("refresh_token") else _default()
    except GoogleAuthError:
        raise RemoteError(f"Earth Engine: there are no credentials on this machine: {SIGN_IN}") from None
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
    """Find the project in which somebody's own sign-in is registered; Google's tools' own cannot be charged."""
    from ee import oauth

    project = oauth.project_number_from_credentials(credentials)
    of_tools = project is None or oauth.is_sdk_project(project) or oauth.CLIENT_ID.startswith(f"{project}-")
    return None if of_tools else str(project)
