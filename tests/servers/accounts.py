"""Made-up accounts whose sign-in is the Earth Engine stand-in: a service's key file, a person's stored credentials."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from servers.earthengine import EarthEngine

CANARY = "canary5f1d"
"""Part of every secret: no output may hold it."""


def key_file(folder: Path, server: EarthEngine, **changes: str) -> Path:
    """Write the key of an account of the stand-in's project."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    content = {
        "type": "service_account", "client_email": f"{CANARY}@example.org", "client_id": f"{CANARY}-1",
        "private_key": pem, "private_key_id": f"{CANARY}-2", "project_id": server.project,
        "token_uri": f"{server.url}/token",
    }  # fmt: skip
    path = folder / f"key-{CANARY}.json"
    path.write_text(json.dumps(content | changes))
    return path


def stored(folder: Path, **changes: str) -> Path:
    """Write what `earthengine authenticate` leaves in the home that is this folder."""
    path = folder / ".config/earthengine/credentials"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"refresh_token": f"{CANARY}-refresh", **changes}))
    return path


def sign_in(monkeypatch: pytest.MonkeyPatch, folder: Path, key: Path | None) -> None:
    """Give this process a home without credentials, and perhaps a key; no call may leave loopback."""
    import ee

    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    if key is not None:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    # The client fetches a list of deprecated assets from an address that cannot be set.
    monkeypatch.setattr(ee.deprecation, "_FetchDataCatalogStac", dict)
