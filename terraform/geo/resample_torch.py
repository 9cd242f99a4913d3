"""Resampling one axis of large planes by products with small dense matrices: faster than gathering."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.resample import Taps

_COLUMNS = 128


def resample_last_axis(values: Tensor, columns: Taps) -> Tensor:
    """Resample the last axis.

    Parameters
    ----------
    values : (..., n) float32
    columns : Taps
        For w target columns, neighbours of which have neighbouring taps.

    Returns
    -------
    (..., w) float32
    """
    flat = values.reshape(-1, values.shape[-1])
    result = torch.empty(len(flat), len(columns.index))
    for start in range(0, len(columns.index), _COLUMNS):
        part = slice(start, start + _COLUMNS)
        first, matrix = _matrix(columns.index[part], columns.weight[part])
        result[:, part] = flat[:, first : first + len(matrix)] @ torch.from_numpy(matrix)
    return result.reshape(*values.shape[:-1], -1)


def _matrix(index: NDArray[np.int64], weight: NDArray[np.float32]) -> tuple[int, NDArray[np.float32]]:
    """Find the first source column that is used, and the weights of it and of those after it, (k, w)."""
    first = int(index.min())
    matrix = np.zeros((int(index.max()) + 1 - first, len(index)), np.float32)
    np.add.at(matrix, (index - first, np.arange(len(index))[:, None]), weight)
    return first, matrix
