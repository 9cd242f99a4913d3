"""What a result depends on: one digest of the code for stages, saved states and strips of unfinished mosaics."""

import ast
import hashlib
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from terraform.errors import ConfigError

Stage = Literal[
    "cut", "temperature", "sheet", "train", "evaluate", "climate", "base model", "base colours", "mosaic", "raster"
]

STAGES: dict[Stage, str] = {
    "cut": "terraform.pairs.cut",
    "temperature": "terraform.planet.temperature",
    "sheet": "terraform.pairs.sheet",
    "train": "terraform.learn.train",
    "evaluate": "terraform.evaluation.evaluate",
    "climate": "terraform.planet.climate",
    "base model": "terraform.planet.base_model",
    "base colours": "terraform.planet.base_colours",
    "mosaic": "terraform.mosaic.region",
    "raster": "terraform.mosaic.any_raster",
}
"""The module that does a stage's work. `raster` is no job of the workflow: any raster that `generate` draws, whose
strips depend on how it is read, too."""

CHANGES_NO_RESULT = (
    "terraform.version",
    "terraform.errors",
    "terraform.progress",
    "terraform.provenance",
    "terraform.digest",
    "terraform.config",  # settings reach a stage as values, with their defaults filled in
    "terraform.storage",
    "terraform.learn.runtime",
    "terraform.learn.fingerprint",
    "terraform.mosaic.output",
    "terraform.planet.pictures",
    "terraform.show",
    "terraform.commands",
    "terraform.workflow",
    "terraform.doctor",
)
"""Modules and folders that report, lock, save, write or show: no digest follows them, so that an edit there never
cuts, trains or draws anew."""

_PACKAGE = "terraform"
_ROOT = Path(__file__).parent
_TELLING = frozenset({"print", "say", "_say", "warn", "echo"})
"""Functions that tell people something."""
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Attributes of statements that hold statements."""


def stage_digest(stage: Stage) -> str:
    """Compute the digest of the code whose edits change a stage's results."""
    return code_digest([STAGES[stage]])


def code_digest(modules: Collection[str]) -> str:
    """Compute the digest of modules and of all that they import from this package, directly or not, lazily or not.

    It depends on the syntax tree alone, and there on what can change a result: comments, layout, docstrings, the words
    of errors and of what is printed do not count, nor does the minor version of Python, nor what
    `CHANGES_NO_RESULT` names.

    Parameters
    ----------
    modules : collection of str
        Dotted names, such as "terraform.pairs.cut".

    Returns
    -------
    str
        12 hexadecimal digits.

    Raises
    ------
    ConfigError
        A module does not exist.
    """
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(_closure(modules).items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def modules_of(modules: Collection[str]) -> list[str]:
    """Name the modules on which a digest depends, sorted.

    Raises
    ------
    ConfigError
        A module does not exist.
    """
    return sorted(_closure(modules))


def _closure(modules: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or _is_outside(name):
            continue
        source = _source(name)
        if source is None:
            raise ConfigError(f"module {name} is missing from the package: install it again")
        found[name], imported = _read(source.read_text(encoding="utf-8"))
        waiting += imported
    return found


def _is_outside(name: str) -> bool:
    """Whether no digest follows it; the package's own `__init__` holds the version, which is provenance."""
    return name == _PACKAGE or any(name == other or name.startswith(f"{other}.") for other in CHANGES_NO_RESULT)


def _source(name: str) -> Path | None:
    place = _ROOT.joinpath(*name.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


@cache
def _read(text: str) -> tuple[str, tuple[str, ...]]:
    """Compute the digest of a module and name the modules of ours that it imports."""
    tree = ast.parse(text)
    digest = hashlib.sha256("\x1f".join(_symbols(tree, [])).encode()).hexdigest()
    return digest, tuple(dict.fromkeys(_imports(tree.body)))


def _imports(body: list[Any]) -> Iterator[str]:
    """Yield the modules of ours that statements import, however deep; only statements hold others."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _ours(node.module):
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if _source(inside) else node.module
        else:
            for name in _BLOCKS:
                yield from _imports(getattr(node, name, []))


def _ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")


def _symbols(node: Any, found: list[str]) -> list[str]:
    """Append a tree as texts, without what differs between versions of Python: empty fields, parts of f-strings."""
    if isinstance(node, ast.Raise):
        found.append("Raise")
        _symbols(_without_words(node.exc), found)
    elif isinstance(node, ast.AST):
        found.append(type(node).__name__)
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != []:
                found.append(name)
                _symbols(_filled(value) if isinstance(node, ast.JoinedStr) else value, found)
    elif isinstance(node, list):
        for item in node:
            if not _is_docstring(item) and not _tells(item):
                _symbols(item, found)
        found.append("end")
    else:
        found.append(repr(node))
    return found


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _tells(node: Any) -> bool:
    """Whether a statement only tells people something."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    return (called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")) in _TELLING


def _without_words(raised: ast.expr | None) -> ast.expr | None:
    """Keep the class of an error; its words are for people."""
    return raised.func if isinstance(raised, ast.Call) else raised


def _filled(parts: list[ast.expr]) -> list[ast.expr]:
    return [part for part in parts if not (isinstance(part, ast.Constant) and part.value == "")]
