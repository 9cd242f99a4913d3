"""Full disks and such that only can be read: every writer says so, and keeps what was there."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from terraform.errors import ConfigError, RemoteError, ResourceError
from terraform.mosaic.checkpoint import open_checkpoint
from terraform.pairs.store import ArrayWriter, save_array
from terraform.sources.fetch import skip_after_refusal
from terraform.storage.atomic_write import atomic_write, make_folder, remove_file, require_space, write_text

NOISE = np.random.default_rng(0).integers(0, 256, (400, 400, 3)).astype(np.uint8)


def with_safetensors(path):
    with atomic_write(path) as temporary:
        save_file({"a": torch.from_numpy(NOISE)}, temporary)


def with_pillow(path):
    with atomic_write(path) as temporary:
        Image.fromarray(NOISE).save(temporary, "PNG")


def with_pyarrow(path):
    import pyarrow
    import pyarrow.parquet

    with atomic_write(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.table({"a": NOISE.ravel()}), temporary)


def with_matplotlib(path):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().imshow(NOISE)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=300)


def with_onnx(path):
    import onnx
    from onnx import numpy_helper

    graph = onnx.helper.make_graph([], "g", [], [], [numpy_helper.from_array(NOISE, "a")])
    with atomic_write(path) as temporary:
        onnx.save(onnx.helper.make_model(graph), temporary)


def with_numpy(path):
    save_array(path, NOISE)


def piece_by_piece(path):
    with atomic_write(path) as temporary:
        writer = ArrayWriter(temporary, NOISE.shape, NOISE.dtype)
        try:
            writer.append(NOISE)
        finally:
            writer.close()


WRITERS = [with_safetensors, with_pillow, with_pyarrow, with_matplotlib, with_onnx, with_numpy, piece_by_piece]


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_disk_is_told_whoever_writes(disk, write):
    folder = disk("64k").folder
    (folder / "a.x").write_text("old")
    with pytest.raises(ResourceError, match=r"a\.x: the disk is full \(\d.* free\): free some space") as full:
        write(folder / "a.x")
    assert full.value.exit_code == 5
    assert [path.name for path in folder.iterdir()] == ["a.x"]
    assert (folder / "a.x").read_text() == "old"


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("write", WRITERS)
def test_a_disk_that_can_only_be_read_is_told_whoever_writes(disk, write, there):
    closed = disk("64k")
    if there:
        (closed.folder / "a.x").write_text("old")
    closed.close()
    with pytest.raises(ResourceError, match=r"cannot be written \(Read-only file system\): make its folder writable"):
        write(closed.folder / "a.x")


def test_what_is_removed_before_writing_is_told_of_too(disk):
    closed = disk("64k")
    (closed.folder / "there").write_text("old")
    closed.close()
    remove_file(closed.folder / "not there")
    with pytest.raises(ResourceError, match="Read-only"):
        remove_file(closed.folder / "there")
    with pytest.raises(ResourceError, match="Read-only"):
        make_folder(closed.folder / "new")


def test_a_refusal_is_noted_where_nothing_can_be_written(disk):
    closed = disk("64k")
    closed.close()
    with pytest.raises(ResourceError, match="Read-only"), skip_after_refusal(closed.folder / "imagery.tif", 1):
        raise RemoteError("come back later")
    with skip_after_refusal(closed.folder / "imagery.tif", 1):
        pass


def test_a_mosaic_is_not_begun_where_nothing_can_be_written(disk):
    closed = disk("64k")
    closed.close()
    with pytest.raises(ResourceError, match="Read-only"), open_checkpoint(closed.folder / "out.tif", {}, None):
        pass


def test_sizes_are_told_in_units_that_are_no_zero(disk):
    folder = disk("64k").folder
    with pytest.raises(ResourceError, match=r"65\.5 kB free, 3\.0 MB are needed"):
        require_space(folder, 3_000_000)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "names no file"), ("..", "names no file"), ("folder", "is a folder"), ("file/a.txt", "Not a directory"),
        ("x" * 300 + ".txt", "name too long"), ("a\0b", "no name for a file"), ("pipe", "is a pipe"),
    ],
)  # fmt: skip
def test_names_that_no_file_can_take_are_refused_before_anything_is_written(tmp_path, monkeypatch, name, reason):
    import os

    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    begun = False
    with pytest.raises(ConfigError, match=f"(?i){reason}") as refused, atomic_write(name):
        begun = True
    assert refused.value.exit_code == 2 and not begun
    assert sorted(tmp_path.iterdir()) == before


def test_a_device_is_never_replaced(tmp_path):
    """Root could: the name would then be that of a file for every program of the machine."""
    import os
    import stat

    if os.getuid() != 0:
        pytest.skip("only root can make a device")
    null = tmp_path / "null"
    os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (tmp_path / "link").symlink_to(null)
    for name in ("null", "link"):
        with pytest.raises(ConfigError, match="is a device"):
            write_text(tmp_path / name, "x")
    assert stat.S_ISCHR(null.lstat().st_mode)
    assert (tmp_path / "link").is_symlink()


def test_what_took_the_name_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(ConfigError, match="is a pipe"), atomic_write(tmp_path / "a.txt") as temporary:
        import os

        temporary.write_text("new")
        os.mkfifo(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").is_fifo()
