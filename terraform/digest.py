"""Digest of the code that a stage runs, so that a real edit re-runs it and a comment does not."""

import ast
import hashlib
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from terraform.errors import ConfigError

_PACKAGE = "terraform"
_ROOT = Path(__file__).parent


def code_digest(modules: Collection[str], without: Collection[str] = ()) -> str:
    """Digest of modules and of all that they import from this package, directly or not, lazily or not.

    It depends on the syntax tree alone, without docstrings: comments, layout and the minor version of Python do not
    count.

    Parameters
    ----------
    modules : collection of str
        Dotted names, such as "terraform.pairs.cut".
    without : collection of str
        Modules and packages that are not followed: what they do does not change the stage's results.

    Raises
    ------
    ConfigError
        A module does not exist.
    """
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or _excluded(name, without):
            continue
        source = _source(name)
        if source is None:
            raise ConfigError(f"module {name} is missing from the package: install it again")
        found[name], imported = _read(source)
        waiting += imported
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(found.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _excluded(name: str, without: Collection[str]) -> bool:
    return any(name == other or name.startswith(f"{other}.") for other in without)


def _source(name: str) -> Path | None:
    place = _ROOT.joinpath(*name.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


@cache
def _read(path: Path) -> tuple[str, tuple[str, ...]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    digest = hashlib.sha256("\x1f".join(_symbols(tree)).encode()).hexdigest()
    return digest, tuple(dict.fromkeys(_imports(tree)))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _ours(node.module):
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if _source(inside) else node.module


def _ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")


def _symbols(node: Any) -> Iterator[str]:
    """The tree as texts, without what differs between minor versions of Python: empty fields and parts of f-strings."""
    if isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in ast.iter_fields(node):
            if value not in (None, []):
                yield name
                yield from _symbols(_filled(value) if isinstance(node, ast.JoinedStr) else value)
    elif isinstance(node, list):
        for item in node:
            if not _is_docstring(item):
                yield from _symbols(item)
        yield "end"
    else:
        yield repr(node)


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _filled(parts: list[ast.expr]) -> list[ast.expr]:
    return [part for part in parts if not (isinstance(part, ast.Constant) and part.value == "")]
