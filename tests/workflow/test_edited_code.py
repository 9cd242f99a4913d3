"""Edits of the code itself: what is made anew after them, and what stays."""

import edits
import pytest
from tiny_world import (
    AFTER_PAIRS,
    PAIRED,
    edit,
    jobs,
)


def test_a_comment_in_the_package_is_no_job(world):
    for path in (world / "terraform").rglob("*.py"):
        path.write_text(path.read_text(encoding="utf-8") + "\n# A remark.\n", encoding="utf-8")
    assert jobs(world) == set()


def test_a_real_edit_of_the_cut_cuts_and_what_follows(world):
    edit(world / "terraform/pairs/cut.py", "_BLOCK = 8", "_BLOCK = 16")
    assert jobs(world) >= {f"cut pairs of {name}" for name in PAIRED} | AFTER_PAIRS
    assert not any(job.startswith("fetch") for job in jobs(world))


def test_a_real_edit_of_the_encoding_retrains_and_cuts_nothing(world):
    (world / "terraform/pairs/relief.py").open("a").write("\n_EDITED = 1\n")
    assert jobs(world) == AFTER_PAIRS


def test_edits_that_change_no_result_are_no_job(world):
    package = world / "terraform"
    for name in ("errors.py", "provenance.py", "config", "storage", "learn/runtime", "mosaic/output", "show"):
        edits.add_statement(package / name)
    for name in ("sources", "pairs", "learn", "mosaic", "geo"):
        assert edits.reword(package / name)
    assert jobs(world) == set()


@pytest.mark.parametrize(
    ("name", "follows"),
    [("learn/models/losses.py", AFTER_PAIRS), ("mosaic/blend.py", {"draw mosaic of crater"})],
)
def test_an_edit_of_what_learns_or_draws_is_what_follows(world, name, follows):
    edits.add_statement(world / "terraform" / name)
    assert jobs(world) == follows


def test_an_edit_of_a_shell_line_is_no_job(world):
    edit(world / "workflow/rules/pairs.smk", "> {log:q} 2>&1", ">> {log:q} 2>&1")
    assert jobs(world) == set()
