"""Mosaics drawn by several jobs: each its part of the strips, and one that joins them into the same file."""

from pathlib import Path

import pytest
from exact import CLIP, Same, small_planet, trained
from hypothesis import given
from hypothesis import strategies as st

from terraform.errors import ConfigError, ResourceError
from terraform.mosaic import any_raster, inputs
from terraform.mosaic.any_raster import Stated
from terraform.mosaic.checkpoint import Part, open_checkpoint

SIZES = st.lists(st.integers(1, 10**9), min_size=1, max_size=60)


@given(SIZES, st.integers(1, 9))
def test_each_strip_is_in_one_part_of_neighbours(sizes: list[int], count: int) -> None:
    parts = [Part(number, count).of(dict(enumerate(sizes))) for number in range(1, count + 1)]
    assert [strip for part in parts for strip in part] == list(range(len(sizes)))
    largest = max(sum(sizes[strip] for strip in part) for part in parts)
    assert largest <= sum(sizes) / count + max(sizes)


@pytest.mark.parametrize("text", ["2", "0/3", "4/3", "a/b", "-1/2", "1/0", "1/99999", "1/2/3"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 2/4"):
        Part.parse(text)


@pytest.fixture
def planet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: trained(Same(), stride=4, halo_px=4))
    small_planet(tmp_path / "e.tif", 0.4)
    (tmp_path / "w").write_bytes(b"an exact answer")
    return tmp_path


def draw(output: str, part: Part | None = None) -> None:
    any_raster.render_raster(Path("w"), Path("e.tif"), Path(output), CLIP, stated=Stated(part=part))


def test_parts_joined_are_the_file_of_one_job(planet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("out.tif")
    whole = Path("out.tif").read_bytes()
    strips = capsys.readouterr().out.count("strip ")
    Path("out.tif").unlink()
    for number in (2, 3, 1):  # in whatever order they end
        draw("out.tif", Part(number, 3))
    assert capsys.readouterr().out.count("strip ") == strips and not Path("out.tif").exists()
    draw("out.tif")
    assert capsys.readouterr().out.count("drawn before") == strips
    assert Path("out.tif").read_bytes() == whole
    assert not list(planet.glob(".out*"))


def test_parts_of_another_drawing_are_dropped_and_lost_ones_drawn(tmp_path: Path) -> None:
    output = tmp_path / "out.tif"
    for number, weights in ((1, "same"), (2, "other")):
        with open_checkpoint(output, {"weights": weights}, None, Part(number, 2)) as kept:
            (kept.folder / f"strip-{number:03d}.bytes").write_bytes(b"drawn")
    with open_checkpoint(output, {"weights": "same"}, None) as kept:
        assert [path.name for path in kept.folder.glob("strip-*")] == ["strip-001.bytes"]
    assert not list(tmp_path.iterdir())


def test_starting_afresh_takes_no_part_over(tmp_path: Path) -> None:
    with open_checkpoint(tmp_path / "out.tif", {}, None, Part(1, 1)) as kept:
        (kept.folder / "strip-001.bytes").write_bytes(b"drawn")
    with open_checkpoint(tmp_path / "out.tif", {}, False) as kept:
        assert not list(kept.folder.glob("strip-*"))


def test_a_part_that_is_being_drawn_is_not_taken(tmp_path: Path) -> None:
    output = tmp_path / "out.tif"
    with (
        open_checkpoint(output, {}, None, Part(1, 2)),
        pytest.raises(ResourceError, match="is being drawn"),
        open_checkpoint(output, {}, None),
    ):
        pass
