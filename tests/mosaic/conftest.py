"""Networks with an exact answer instead of a weights file, `w` in the working folder."""

from pathlib import Path

import pytest
from exact import Same, adding, trained

from terraform.mosaic import inputs
from terraform.storage import models


@pytest.fixture
def same_network(monkeypatch, tmp_path):
    """Colours are the first channel of the condition."""
    monkeypatch.chdir(tmp_path)
    Path("w").write_bytes(b"an exact answer")
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: trained(Same(), stride=4, halo_px=4))


@pytest.fixture
def base_network(same_network, monkeypatch, tmp_path):
    """Colours are those of the base; published models are looked for in `models`."""
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: adding())
    monkeypatch.setattr(models, "_MODELS", (tmp_path / "models",))
