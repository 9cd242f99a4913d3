"""How long to wait, and when to give up."""

import random
import time
from dataclasses import dataclass, field

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

_LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True)
class Deadline:
    """A moment after which nothing is waited for any more."""

    seconds: float
    start: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float:
        """Seconds left, negative when it has passed."""
        return self.start + self.seconds - time.monotonic()


def pause_s(attempt: int, base_s: float, jitter: random.Random) -> float:
    """Draw the pause before another attempt: anything up to an exponentially growing bound.

    "Full jitter" of Brooker 2015, "Exponential Backoff And Jitter": those that failed together do not return together.

    Parameters
    ----------
    attempt : int
        0 after the first attempt.
    base_s : float
        Bound of the first pause, seconds.
    """
    return jitter.uniform(0, min(_LONGEST_PAUSE_S, base_s * 2**attempt))


def retry_after_s(value: str | None) -> float | None:
    """Parse Retry-After (RFC 9110, 10.2.3): seconds, or None where it says nothing sensible."""
    if value is None:
        return None
    try:
        return Retry().parse_retry_after(value)
    except (InvalidHeader, ValueError, OverflowError):
        return None
