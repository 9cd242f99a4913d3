"""The target `report`: it comes last of `all`, and again when anything that it shows has changed."""

from tiny_world import make_world, run

from terraform.workflow.plan import how_to_repeat

WRITES = "write report of run tiny"


def test_the_report_is_part_of_all_and_needs_all_of_it(tmp_path):
    make_world(tmp_path)
    planned = run(tmp_path, "-n", "all")
    assert f": {WRITES}\n" in planned
    assert f": {WRITES}\n" not in run(tmp_path, "-n", "evaluate", "mosaics")
    report = run(tmp_path, "-n", "report")
    assert all(job in report for job in ("draw mosaic of crater", "evaluate generator of run tiny", "draw sheet of nw"))


def test_the_command_brings_back_overlays_and_single_values():
    command = how_to_repeat(["a b.yaml"], {"run": "x", "train": {"total_images": 5}})
    assert command == "snakemake --cores 8 all --configfile 'a b.yaml' --config run=x 'train={\"total_images\": 5}'"
    assert how_to_repeat([], {}) == "snakemake --cores 8 all"
