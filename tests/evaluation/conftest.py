"""Real pictures, those of elsewhere, and damaged ones."""

import pytest
import torch
from damaged_pictures import DAMAGES, land


@pytest.fixture(scope="session")
def real() -> torch.Tensor:
    return land(4, 0)


@pytest.fixture(scope="session")
def stranger() -> torch.Tensor:
    return land(4, 1)


@pytest.fixture(scope="session")
def damaged(real):
    """Pictures under a damage of a strength, 0 to 4."""
    return lambda damage, strength: real if not strength else DAMAGES[damage](real, strength)
