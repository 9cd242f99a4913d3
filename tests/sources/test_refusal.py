"""What a service refused is asked again in the next run, not in the next attempt."""

import pytest

from terraform.errors import InputError, RemoteError
from terraform.sources.fetch import skip_after_refusal


def ask(raster, attempt, error=None):
    with skip_after_refusal(raster, attempt):
        if error:
            raise error
        return "asked"


def test_a_refusal_holds_for_the_attempts_of_one_run(tmp_path):
    raster = tmp_path / "imagery.tif"
    with pytest.raises(RemoteError, match="later"):
        ask(raster, 1, RemoteError("come back later"))
    with pytest.raises(RemoteError, match="come back later"):
        ask(raster, 2)
    assert ask(raster, 1) == "asked"
    assert ask(raster, 2) == "asked"


def test_other_ends_are_tried_again(tmp_path):
    raster = tmp_path / "imagery.tif"
    with pytest.raises(InputError):
        ask(raster, 1, InputError("damaged"))
    assert ask(raster, 2) == "asked"
