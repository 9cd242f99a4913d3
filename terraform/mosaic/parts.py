"""A mosaic that several jobs draw: each draws a part of the strips, and the last joins them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from terraform.errors import ConfigError


@dataclass(frozen=True)
class Part:
    """One of the parts into which the strips of a mosaic are divided.

    Attributes
    ----------
    number : int
        From 1 to `count`.
    count : int
        Number of parts.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Read a part as it is written on the command line, such as "2/4".

        Raises
        ------
        ConfigError
            It is no such part.
        """
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ConfigError(f"--part is {text!r}, expected its number and how many there are, such as 2/4")
        return cls(int(found[1]), int(found[2]))

    def of(self, sizes: Mapping[int, int]) -> list[int]:
        """Choose the strips of this part: neighbours, and in each part about as many bytes.

        Parameters
        ----------
        sizes : mapping of int to int
            Bytes of each strip by its number, north to south.

        Returns
        -------
        list of int
            Numbers of strips; each strip is in exactly one part, and a part may be empty.
        """
        ends = list(accumulate(sizes.values()))
        # The part in which a strip's middle lies, of as many parts as there are; twice, to stay in whole numbers.
        return [
            strip
            for (strip, size), end in zip(sizes.items(), ends, strict=True)
            if (2 * end - size) * self.count // (2 * ends[-1]) + 1 == self.number
        ]
