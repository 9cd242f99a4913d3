"""Batches in a fixed order, read ahead of the step or kept on the GPU, made on the device.

Which pairs a batch holds and how they are jittered depends on its number alone (`order`): not on how many threads
read, nor on how far ahead.
"""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.config import Config
from terraform.geo.tile_spec import TileSpec
from terraform.learn.data.augment import Batch, no_augmentation, prepare
from terraform.learn.data.dataset import Collection, StoredPairs
from terraform.learn.data.sampling import augmentation_params, sample_indices
from terraform.learn.runtime.device import pin, to_device
from terraform.learn.runtime.distributed import SINGLE, Processes

_RESIDENT_SHARE = 0.4
"""Of the GPU's free memory: the rest is for the networks."""


class LoadedBatch(NamedTuple):
    """A batch and where it comes from.

    Attributes
    ----------
    image : int
        Number of the first image of the whole batch.
    pairs : (N,) int64
        Which pairs of the collection this process's part shows.
    batch : Batch
    """

    image: int
    pairs: NDArray[np.int64]
    batch: Batch


@dataclass(frozen=True)
class BatchMaker:
    """Makes batches of stored pairs, on a device.

    Attributes
    ----------
    config : Config
    device : torch.device
    spec : TileSpec
        The size of the pairs' tiles.
    """

    config: Config
    device: torch.device
    spec: TileSpec

    def make(self, stored: StoredPairs, image: int, jitter: str) -> Batch:
        """Make a batch, as the images from number `image` on are jittered: "resize", "mirror" or "none"."""
        config, count, spec = self.config, len(stored.imagery), self.spec
        drawn = jitter != "none"
        params = augmentation_params(config.seed, image, count, spec) if drawn else no_augmentation(count)
        on_device = StoredPairs(*(to_device(tensor, self.device) for tensor in stored))
        return prepare(on_device, params, jitter, config.train, config.condition, config.sheet, spec)


class _Readable(Protocol):
    def read(self, chosen: NDArray[np.int64]) -> StoredPairs: ...


class BatchLoader:
    """The batches of a run.

    Parameters
    ----------
    collection : Collection
    config : Config
    device : torch.device
    processes : Processes
        Each is fed its part of every batch.

    Attributes
    ----------
    maker : BatchMaker
    waited : float
        Seconds that steps have waited for pairs to be read.
    """

    def __init__(
        self, collection: Collection, config: Config, device: torch.device, processes: Processes = SINGLE
    ) -> None:
        self.maker = BatchMaker(config, device, collection.spec)
        self.waited = 0.0
        self._collection, self._seed, self._settings = collection, config.seed, config.train
        self._processes = processes
        self._pairs: _Readable = DeviceCache(collection, device) if _fits(collection, device) else collection

    def batches(self, first: int) -> Iterator[LoadedBatch]:
        """Batches from image `first` to the end of the run; while a step runs, threads read the following ones."""
        settings = self._settings
        starts = iter(range(first, settings.total_images, settings.batch))
        if not settings.workers or isinstance(self._pairs, DeviceCache):
            for image in starts:
                yield self._loaded(image, *self._timed(image))
            return
        with ThreadPoolExecutor(settings.workers) as readers:
            ahead: deque[tuple[int, Future[tuple[NDArray[np.int64], StoredPairs]]]] = deque()
            for image in starts:
                ahead.append((image, readers.submit(self._read, image)))
                if len(ahead) > settings.workers:
                    yield self._loaded(*self._next(ahead))
            while ahead:
                yield self._loaded(*self._next(ahead))

    def regions_of(self, pairs: NDArray[np.int64]) -> Tensor:
        """(N,) int64, numbers of the regions that pairs come from, on the device."""
        return to_device(self._collection.places[pairs, 0], self.maker.device)

    def _next(
        self, ahead: deque[tuple[int, Future[tuple[NDArray[np.int64], StoredPairs]]]]
    ) -> tuple[int, NDArray[np.int64], StoredPairs]:
        image, reading = ahead.popleft()
        started = time.perf_counter()
        chosen, stored = reading.result()
        self.waited += time.perf_counter() - started
        return image, chosen, stored

    def _timed(self, image: int) -> tuple[NDArray[np.int64], StoredPairs]:
        started = time.perf_counter()
        read = self._read(image)
        self.waited += time.perf_counter() - started
        return read

    def _read(self, image: int) -> tuple[NDArray[np.int64], StoredPairs]:
        first, count = self._processes.part(image, self._settings.batch)
        chosen = sample_indices(self._seed, first, count, len(self._collection))
        stored = self._pairs.read(chosen)
        return chosen, StoredPairs(*(pin(tensor, self.maker.device) for tensor in stored))

    def _loaded(self, image: int, chosen: NDArray[np.int64], stored: StoredPairs) -> LoadedBatch:
        first, _ = self._processes.part(image, self._settings.batch)
        return LoadedBatch(image, chosen, self.maker.make(stored, first, self._settings.jitter))


class DeviceCache:
    """All pairs of a collection on the device, as stored: a step then waits for no disk and no bus.

    Parameters
    ----------
    collection : Collection
    device : torch.device
    """

    def __init__(self, collection: Collection, device: torch.device) -> None:
        first = collection.read([0])
        self._parts = [torch.empty(len(collection), *part.shape[1:], dtype=part.dtype, device=device) for part in first]
        self._device = device
        for chunk in np.array_split(np.arange(len(collection)), -(-len(collection) // 64)):
            for whole, part in zip(self._parts, collection.read(chunk), strict=True):
                whole[chunk[0] : chunk[-1] + 1] = part.to(device)

    def read(self, chosen: NDArray[np.int64]) -> StoredPairs:
        """Read the chosen pairs, on the device."""
        index = to_device(chosen, self._device)
        return StoredPairs(*(part.index_select(0, index) for part in self._parts))


def bytes_of(collection: Collection) -> int:
    """Count the bytes that a collection takes on a device."""
    return len(collection) * sum(part.nbytes for part in collection.read([0]))


def _fits(collection: Collection, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    return bytes_of(collection) < torch.cuda.mem_get_info(device)[0] * _RESIDENT_SHARE
