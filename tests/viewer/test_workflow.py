"""The target `viewer`: what it needs, and that `all` does without it."""

import tiny_world


def test_the_viewer_draws_what_it_compares_and_is_not_part_of_all(tmp_path):
    tiny_world.make_world(tmp_path)
    assert "VIEWER" not in (tmp_path / "Snakefile").read_text().partition("rule all:")[2]
    viewer = tiny_world.jobs(tmp_path, "viewer")
    assert {"export viewer", "draw mosaic of crater", "draw mosaic of italy", "fetch imagery of italy"} <= viewer
    assert "draw mosaic of andes" not in viewer
