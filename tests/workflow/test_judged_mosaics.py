"""Mosaics of Mars are drawn before they are judged, where they are."""

from tiny_world import configure, jobs, make_world


def test_evaluation_draws_the_mosaics_that_it_judges(tmp_path):
    make_world(tmp_path)
    drawing = {"draw mosaic of crater", "fetch elevation of crater"}
    without = jobs(tmp_path, "evaluate")
    configure(tmp_path, evaluation={"mosaics": True})
    assert not drawing & without
    assert jobs(tmp_path, "evaluate") == without | drawing
