"""Edits of a copy of the package, by what they change and not by the text that stands there."""

import ast
from pathlib import Path


def files(place: Path) -> list[Path]:
    """A file, or all modules of a folder."""
    found = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert found, f"{place} is gone"
    return found


def add_statement(place: Path) -> None:
    """Add a statement to each module: an edit that may change what it does."""
    for path in files(place):
        path.write_text(path.read_text(encoding="utf-8") + "\n_EDITED = 1\n", encoding="utf-8")


def reword(place: Path) -> int:
    """Put other words into all errors that are raised and all lines that are printed; the number of these."""
    count = 0
    for path in files(place):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = [call for call in map(_told, ast.walk(tree)) if call is not None and call.args]
        for call in told:
            call.args = [ast.Constant("other words")]
        if told:
            path.write_text(ast.unparse(tree), encoding="utf-8")
        count += len(told)
    return count


def _told(node: ast.AST) -> ast.Call | None:
    """The call that makes an error, or prints."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return node.exc
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
        return node.value if node.value.func.id in ("print", "_say") else None
    return None
