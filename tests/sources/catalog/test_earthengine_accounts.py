"""Who asks Earth Engine: a service's key, a person's credentials, a project, and that none of them is told."""

from pathlib import Path
from typing import Any

import ee
import numpy as np
import pytest
from servers.accounts import CANARY, key_file, sign_in, stored
from servers.earthengine import EarthEngine
from servers.engine_regions import HERE, expected, fetched, settings

from terraform.config import Config
from terraform.errors import RemoteError
from terraform.provenance import write
from terraform.sources.catalog.earthengine.account import find_credentials


def told(config: Config, tmp_path: Path) -> str:
    with pytest.raises(RemoteError) as error:
        fetched(config, HERE, tmp_path)
    assert error.value.exit_code == 4 and CANARY not in str(error.value) and str(tmp_path) not in str(error.value)
    return str(error.value)


def test_without_credentials(earth_engine: EarthEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(monkeypatch, tmp_path, None)
    assert "no credentials on this machine: set GOOGLE_APPLICATION_CREDENTIALS" in told(
        settings(earth_engine, tmp_path), tmp_path
    )
    assert earth_engine.calls == []


@pytest.mark.parametrize("content", ["", "{", '{"type": "service_account"}', '"canary5f1d"'])
def test_with_a_broken_key(
    content: str, earth_engine: EarthEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"{CANARY}.json"
    path.write_text(content)
    sign_in(monkeypatch, tmp_path, path)
    assert "GOOGLE_APPLICATION_CREDENTIALS names cannot be used" in told(settings(earth_engine, tmp_path), tmp_path)
    path.unlink()
    assert "FileNotFoundError" in told(settings(earth_engine, tmp_path), tmp_path)


def test_without_a_project(earth_engine: EarthEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(monkeypatch, tmp_path, key_file(tmp_path, earth_engine, project_id=""))
    assert "no project is named: set EARTHENGINE_PROJECT" in told(settings(earth_engine, tmp_path), tmp_path)
    monkeypatch.setenv("EARTHENGINE_PROJECT", earth_engine.project)
    fetched(settings(earth_engine, tmp_path), HERE, tmp_path)


def test_with_a_foreign_project(earth_engine: EarthEngine, account: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("EARTHENGINE_PROJECT", f"{CANARY}-project")
    said = told(settings(earth_engine, tmp_path), tmp_path)
    assert "refuses this project or account" in said and "register the project" in said


@pytest.mark.parametrize(("status", "word"), [(401, "does not accept"), (403, "refuses this project")])
def test_refused_in_the_middle(
    status: int, word: str, earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    earth_engine.fail("computePixels", status, message="Not you")
    assert word in told(settings(earth_engine, tmp_path), tmp_path)
    assert len(earth_engine.pixels()) <= 8  # no refusal is asked again


def test_when_google_refuses_the_key(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    earth_engine.fail("token", kind="body", body=b'{"error": "invalid_grant", "error_description": "canary5f1d"}')
    assert "refuses the credentials" in told(settings(earth_engine, tmp_path), tmp_path)


def test_a_key_that_sends_elsewhere_is_not_followed(
    earth_engine: EarthEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = EarthEngine()
    path = key_file(tmp_path, earth_engine, token_uri=f"{elsewhere.url}/token")
    sign_in(monkeypatch, tmp_path, path)
    assert "refused to go to" in told(settings(earth_engine, tmp_path), tmp_path)
    assert elsewhere.calls == []
    elsewhere.stop()


@pytest.fixture
def person(earth_engine: EarthEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Signed in by `earthengine authenticate`, with a project."""
    sign_in(monkeypatch, tmp_path, None)
    # Where such credentials are renewed is not in their file but in the client.
    monkeypatch.setattr(ee.oauth, "TOKEN_URI", f"{earth_engine.url}/token")
    return stored(tmp_path, project=earth_engine.project)


def test_a_person_signs_in(earth_engine: EarthEngine, person: Path, tmp_path: Path) -> None:
    find_credentials()
    assert earth_engine.calls == []  # the doctor looks at credentials without going online
    heights, grid, made = fetched(settings(earth_engine, tmp_path), HERE, tmp_path / "out")
    assert np.abs(heights.astype(int) - expected(grid)).max() <= 1
    tokens = [call.body for call in earth_engine.calls if call.path == "/token"]
    assert 1 <= len(tokens) <= 2  # the client makes two copies of what it was given
    assert all("grant_type=refresh_token" in body and f"refresh_token={CANARY}-refresh" in body for body in tokens)
    write(made, tmp_path / "out/elevation.json")
    assert_tells_nothing(earth_engine, tmp_path, person)


def test_a_person_without_a_project(earth_engine: EarthEngine, person: Path, tmp_path: Path, monkeypatch: Any) -> None:
    person.write_text(f'{{"refresh_token": "{CANARY}"}}')
    assert "no project is named" in told(settings(earth_engine, tmp_path), tmp_path)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", earth_engine.project)
    fetched(settings(earth_engine, tmp_path), HERE, tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_stored_credentials_that_are_broken(
    content: str, earth_engine: EarthEngine, person: Path, tmp_path: Path
) -> None:
    person.write_text(content)
    said = told(settings(earth_engine, tmp_path), tmp_path)
    assert "stored credentials cannot be read" in said and "earthengine authenticate" in said


def test_a_person_whose_access_was_withdrawn(earth_engine: EarthEngine, person: Path, tmp_path: Path) -> None:
    revoked = b'{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}'
    earth_engine.fail("token", 400, kind="body", body=revoked)
    assert "refuses the credentials" in told(settings(earth_engine, tmp_path), tmp_path)


def test_a_broken_line_is_not_taken_for_missing_credentials(
    earth_engine: EarthEngine, person: Path, tmp_path: Path
) -> None:
    earth_engine.fail("token", kind="drop")
    assert "the connection broke" in told(settings(earth_engine, tmp_path), tmp_path)
    earth_engine.heal()
    earth_engine.fail("token", kind="drop", times=1)
    fetched(settings(earth_engine, tmp_path), HERE, tmp_path)


def test_no_secret_reaches_a_file(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    _, _, made = fetched(settings(earth_engine, tmp_path), HERE, tmp_path / "out")
    write(made, tmp_path / "out" / "elevation.json")
    assert_tells_nothing(earth_engine, tmp_path, account)


def assert_tells_nothing(earth_engine: EarthEngine, here: Path, secret: Path) -> None:
    """No file but the secret itself holds anything of it, or the project."""
    written = [path for path in here.rglob("*") if path.is_file() and path != secret]
    assert len(written) > 2
    for path in written:
        content = path.read_bytes()
        assert CANARY.encode() not in content and b"a-token" not in content, path
        assert earth_engine.project.encode() not in content, path
