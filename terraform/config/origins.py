"""Where each setting of a merged configuration comes from, and how one of them is changed in its file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from terraform.config.renames import RENAMES, current
from terraform.config.strict_yaml import plain, read_yaml
from terraform.config.whole import Config, load, overlay, parse
from terraform.errors import ConfigError
from terraform.storage.atomic_write import write_text

DEFAULT = "default"


def told(paths: Sequence[Path], section: str | None = None) -> str:
    """Write the merged configuration as YAML, with the origin of each value behind it.

    Parameters
    ----------
    paths : sequence of Path
        `config.yaml` and overlays, the later ones over the earlier.
    section : str, optional
        Dotted path of the part to show.

    Raises
    ------
    ConfigError
        A file is wrong, or there is no such part.
    """
    of, names = _part(paths, section)
    origin = _origins(paths)
    if not isinstance(of, dict):
        return f"{section}: {_text(of)}  # {origin.get(names, DEFAULT)}\n"
    return "".join(_lines(of, names, origin, 0))


def told_as_json(paths: Sequence[Path], section: str | None = None) -> str:
    """Write the merged configuration as JSON: `settings`, and `origins` of those that a file sets, by dotted path.

    Parameters and errors are those of `told`.
    """
    of, names = _part(paths, section)
    origins = {".".join(place): file for place, file in _origins(paths).items() if place[: len(names)] == names}
    return json.dumps({"settings": of, "origins": origins}, indent=1, ensure_ascii=False)


def _part(paths: Sequence[Path], section: str | None) -> tuple[Any, tuple[str, ...]]:
    """Read the configuration and choose a part of it, with its place."""
    whole: Any = load(*paths).model_dump(mode="json")
    names = () if section is None else tuple(section.split("."))
    for number, name in enumerate(names):
        if not isinstance(whole, dict) or name not in whole:
            raise ConfigError(_unknown(".".join(names[: number + 1]), whole))
        whole = whole[name]
    return whole, names


def _origins(paths: Sequence[Path]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for path in paths:
        for place, _ in _leaves(current(read_yaml(path), path.name)):
            found[place] = path.name
    return found


def _leaves(document: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(document, Mapping) and document:
        for key, value in document.items():
            yield from _leaves(value, (*place, str(key)))
    else:
        yield place, document


def _lines(
    document: Mapping[str, Any], place: tuple[str, ...], origin: Mapping[tuple[str, ...], str], depth: int
) -> Iterator[str]:
    for key, value in document.items():
        inner, indent = (*place, key), "  " * depth
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:\n"
            yield from _lines(value, inner, origin, depth + 1)
        else:
            yield f"{indent}{key}: {_text(value)}  # {origin.get(inner, DEFAULT)}\n"


def _text(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def set_value(path: Path, assignment: str) -> Config:
    """Change one setting in a configuration file, whose comments and order stay.

    Parameters
    ----------
    path : Path
        The file; it is made where there is none.
    assignment : str
        Such as `train.total_images=5`: dotted path, and a value as YAML writes it.

    Returns
    -------
    Config
        What holds now.

    Raises
    ------
    ConfigError
        It is no assignment, there is no such setting, or its value is wrong; the file is as it was.
    """
    name, equals, text = assignment.partition("=")
    if not equals or not all(part.strip() for part in name.split(".")):
        raise ConfigError(f"{assignment!r} is no assignment: write SETTING=VALUE, such as train.total_images=5")
    name = RENAMES.get(name.strip(), name.strip())
    document = read_yaml(path) if path.exists() else {}
    value = plain(_value(text))
    made = parse(overlay(current(document, path.name), _nested(name.split("."), value)), path.name)
    source = path.read_text(encoding="utf-8") if path.exists() else ""
    changed = _edited(source, name.split("."), _text(value))
    if yaml.safe_load(changed) is None or parse(current(_reread(changed), path.name), path.name) != made:
        raise ConfigError(f"{path}: {name} could not be changed in its place: edit the file by hand")
    write_text(path, changed)
    return made


def _reread(text: str) -> dict[str, Any]:
    found = plain(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506  (texts only)
    return found if isinstance(found, dict) else {}


def _value(text: str) -> Any:
    try:
        return yaml.load(text, Loader=yaml.BaseLoader) if text.strip() else None  # noqa: S506  (texts only)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} is no value of YAML ({' '.join(str(error).split())})") from None


def _nested(names: Sequence[str], value: Any) -> dict[str, Any]:
    made: Any = value
    for name in reversed(names):
        made = {name: made}
    return dict(made)


def _edited(source: str, names: Sequence[str], text: str) -> str:
    """Replace a value where it stands, or put it into its section."""
    node: Any = yaml.compose(source, Loader=yaml.SafeLoader)
    if node is None:
        return source + _block(names, text, 0)
    for depth, name in enumerate(names):
        pair = next((pair for pair in node.value if pair[0].value == name), None)
        if pair is None:
            return _inserted(source, node, names[depth:], text)
        node = pair[1]
        if depth + 1 < len(names) and not isinstance(node, yaml.MappingNode):
            return source
    return source[: node.start_mark.index] + text + source[node.end_mark.index :]


def _inserted(source: str, node: yaml.MappingNode, names: Sequence[str], text: str) -> str:
    start = node.start_mark.index
    if node.flow_style:
        more = ", " if node.value else ""
        return source[: start + 1] + f"{names[0]}: {_flow(names[1:], text)}{more}" + source[start + 1 :]
    if node.start_mark.column == 0:
        return source + ("" if source.endswith("\n") else "\n") + "\n" * bool(source) + _block(names, text, 0)
    line = source.rfind("\n", 0, start) + 1
    return source[:line] + _block(names, text, node.start_mark.column) + source[line:]


def _flow(names: Sequence[str], text: str) -> str:
    return "".join(f"{{{name}: " for name in names) + text + "}" * len(names)


def _block(names: Sequence[str], text: str, column: int) -> str:
    lines = [f"{' ' * (column + 2 * depth)}{name}:" for depth, name in enumerate(names)]
    return "\n".join(lines) + f" {text}\n"


def _unknown(name: str, known: Any) -> str:
    names = list(known) if isinstance(known, dict) else []
    close = get_close_matches(name.rpartition(".")[2], names, 1)
    more = f": do you mean {close[0]}?" if close else f"; known are {', '.join(names)}" * bool(names)
    return f"{name} is no setting{more}"
