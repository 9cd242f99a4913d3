"""Every metric of a set of pictures, beside real imagery of the same ground."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from torch import Tensor

from terraform.evaluation.colour import base_drift, colour_given_relief, deviation
from terraform.evaluation.diversity import diversity, nearest_tile, thumbnails
from terraform.evaluation.fidelity import fidelity
from terraform.evaluation.judges.encoder import Encoder
from terraform.evaluation.judges.recoverability import ReliefReader, recoverability
from terraform.evaluation.kernel import kernel_distance
from terraform.evaluation.resampling import Statistic
from terraform.evaluation.spectrum import checkerboard, spectrum
from terraform.evaluation.straw_men import Ground
from terraform.evaluation.texture import texture


class Judges(NamedTuple):
    """Networks that learnt on real tiles of the training regions.

    Attributes
    ----------
    encoder : Encoder
    reader : ReliefReader
    """

    encoder: Encoder
    reader: ReliefReader


@dataclass(frozen=True)
class Compared:
    """Real ground that sets of pictures are compared with.

    Attributes
    ----------
    ground : Ground
    known : (M, 3072) float
        Thumbnails of training tiles.
    judges : Judges
        Networks that learnt what real imagery is like.
    pixel_m : float
        Side of a pixel, metres.
    """

    ground: Ground
    known: Tensor
    judges: Judges
    pixel_m: float

    @cached_property
    def _features(self) -> Tensor:
        return self.judges.encoder.features(self.ground.real)

    def statistics(self, pictures: Tensor) -> dict[str, Statistic]:
        """Measure a set of pictures, in the order of `METRICS`."""
        ground = self.ground
        real, base, sea, valid = ground.real, ground.base, ground.sea, ground.valid
        masked, real_masked = pictures * valid, real * valid
        features = self.judges.encoder.features(pictures)
        return {
            **fidelity(pictures, real, valid),
            **texture(masked, real_masked),
            "kernel_distance": kernel_distance(features, self._features),
            **spectrum(masked, real_masked),
            **checkerboard(pictures),
            "colour_given_relief": colour_given_relief(pictures, real, ground.kinds),
            "base_drift": base_drift(pictures, base, sea, valid, self.pixel_m),
            "recoverability": self._recovered(pictures),
            "diversity": diversity(features.mean(1), self._features.mean(1)),
            "nearest_tile": nearest_tile(thumbnails(pictures), self.known),
            "deviation": deviation(pictures),
        }

    def floor(self) -> dict[str, Statistic]:
        """Measure real imagery: one half of the pairs against the other, which is as close as strangers come."""
        ground = self.ground
        real, base, sea, valid = ground.real, ground.base, ground.sea, ground.valid
        halves = self._halves() if len(real) > 1 else {}
        return {
            **{name: _of_halves(one, len(real)) for name, one in halves.items()},
            **checkerboard(real),
            "base_drift": base_drift(real, base, sea, valid, self.pixel_m),
            "recoverability": self._recovered(real),
            "diversity": diversity(self._features.mean(1), self._features.mean(1)),
            "nearest_tile": nearest_tile(thumbnails(real), self.known),
            "deviation": deviation(real),
        }

    def _halves(self) -> dict[str, Statistic]:
        """Compare every second pair with the one after it."""
        even, odd = (slice(first, len(self.ground.real) // 2 * 2, 2) for first in (0, 1))
        masked, features = self.ground.real * self.ground.valid, self._features
        return {
            **texture(masked[even], masked[odd]),
            "kernel_distance": kernel_distance(features[even], features[odd]),
            **spectrum(masked[even], masked[odd]),
        }

    def _recovered(self, pictures: Tensor) -> Statistic:
        return recoverability(self.judges.reader.read(pictures), self.ground.relief, self.ground.known_relief)


def _of_halves(statistic: Statistic, tiles: int) -> Statistic:
    """Take a statistic of pairs of neighbours, (even, odd), to weights of tiles: those of the even ones."""
    replicate, last = statistic.replicate, tiles // 2 * 2
    return statistic._replace(replicate=replicate and (lambda weights: replicate(weights[:, 0:last:2])))
