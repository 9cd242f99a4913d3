"""Throw damaged and hostile inputs at every parser of strangers' files: `make fuzz`, 10,000 each.

Each must be read or be refused with an error of `terraform.errors`; anything else, and anything that takes ten seconds,
is told with the seed that makes it again: `python -m tools.fuzz weights --first 4711 --count 1`.
"""

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from terraform.errors import TerraformError
from terraform.sources.remote.response import InvalidResponse
from tools.fuzzed import PARSERS, Parser

SLOW_S = 10.0
_TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b":",
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"-",
    b"!",
    b"&a",
    b"*a",
    b"<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    b"%s",
    b"{region!r}",
    b"nan",
    b"inf",
    b"1e400",
    b"-1",
    b"0",
    b"9" * 5000,
    b"9" * 20,
    b"null",
    b"true",
    b"\xc2\xb2",
    b"../../etc/passwd",
    b"!!python/object/apply:os.system [id]",
    b"(",
    b")",
    b"=",
    b"<",
    b">",
    b"<BYTES>",
    b"encoding='hex'",
    b"encoding='Shift_JIS'",
    b"/dev/zero",
    b" " * 300,
    b"[" * 3000,
    b"{" * 3000,
]
_VALUES = [
    None,
    True,
    False,
    0,
    -1,
    1e308,
    float("nan"),
    float("inf"),
    10**30,
    2**63,
    "",
    "\ud800",
    "\n",
    "x" * 3000,
    [],
    {},
    [[]],
    [None],
    {"": {}},
    "../..",
    "1e5",
    [[[[[[[[]]]]]]]],
    -0.0,
    1e-320,
    "__use_yte__",
]


class Found(NamedTuple):
    """What one input did that it should not."""

    parser: str
    seed: int
    what: str


def fuzz(parser: Parser, seeds: range, folder: Path) -> tuple[Counter[str], list[Found]]:
    """Throw the inputs of some seeds at a parser.

    Returns
    -------
    Counter, list of Found
        How many were read, refused and neither; what those of the last kind did.
    """
    counts: Counter[str] = Counter()
    found: list[Found] = []
    samples = parser.samples(folder)
    for seed in seeds:
        path = folder / parser.file
        path.write_bytes(mutated(random.Random(f"{parser.name} {seed}"), samples))
        began = time.process_time()
        try:
            parser.read(path)
            counts["read"] += 1
        except (TerraformError, InvalidResponse):
            counts["refused"] += 1
        except Exception:
            counts["neither"] += 1
            found.append(Found(parser.name, seed, traceback.format_exc(limit=-4)))
        if time.process_time() - began > SLOW_S:
            found.append(Found(parser.name, seed, f"took {time.process_time() - began:.0f} s"))
    return counts, found


def mutated(draw: random.Random, samples: list[bytes]) -> bytes:
    """Damage a sample: its tree where it is JSON, its bytes otherwise and now and then."""
    content = draw.choice(samples)
    if draw.random() < 0.6:
        try:
            tree = json.loads(content)
            for _ in range(draw.choice([1, 1, 2, 4])):
                tree = _replaced(draw, tree)
            content = json.dumps(tree).encode()
            if draw.random() < 0.8:
                return content
        except (ValueError, RecursionError):
            pass
    for _ in range(draw.choice([1, 1, 2, 3, 8])):
        content = _damaged(draw, content)
    return content


def _damaged(draw: random.Random, content: bytes) -> bytes:
    place, length = draw.randrange(len(content) + 1), draw.choice([1, 1, 4, 30, 500])
    if draw.random() < 0.5:
        place = min(place, draw.randrange(400))  # headers are what parsers stumble over
    before, after = content[:place], content[place + length :]
    kind = draw.randrange(5)
    if kind == 0:
        return before + after
    if kind == 1:
        return before + draw.choice(_TOKENS) + content[place:]
    if kind == 2:
        return before + draw.choice(_TOKENS) + after
    if kind == 3:
        return before + draw.randbytes(length) + after
    return before if draw.random() < 0.3 else before + content[place : place + length] * 3 + after


def _replaced(draw: random.Random, tree: object) -> object:
    """Replace, remove or add something somewhere in a tree."""
    if isinstance(tree, dict) and tree and draw.random() < 0.85:
        key = draw.choice(list(tree))
        if draw.random() < 0.1:
            return {name: value for name, value in tree.items() if name != key}
        return {**tree, key: _replaced(draw, tree[key])}
    if isinstance(tree, list) and tree and draw.random() < 0.85:
        place = draw.randrange(len(tree))
        return [*tree[:place], _replaced(draw, tree[place]), *tree[place + 1 :]]
    return draw.choice(_VALUES)


def main() -> None:
    """Throw, count and tell; the exit code is 1 where something was neither read nor refused."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parsers", nargs="*", help=f"of {', '.join(PARSERS)}; all by default")
    arguments.add_argument("--count", type=int, default=10_000)
    arguments.add_argument("--first", type=int, default=0)
    given = arguments.parse_args()
    everything: list[Found] = []
    for name in given.parsers or PARSERS:
        with tempfile.TemporaryDirectory() as folder:
            counts, found = fuzz(PARSERS[name], range(given.first, given.first + given.count), Path(folder))
        print(f"{name:<14} {counts['read']:>7} read {counts['refused']:>7} refused {len(found):>5} wrong", flush=True)
        everything += found
    for wrong in everything[:20]:
        print(f"\n{wrong.parser}, seed {wrong.seed}: {wrong.what}")
    sys.exit(bool(everything))


if __name__ == "__main__":
    main()
