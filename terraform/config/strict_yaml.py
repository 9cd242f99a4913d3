"""YAML without its traps: safe tags only, no duplicate keys, `NO` is a text and `1e-4` a number, no alias bombs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from terraform.errors import ConfigError
from terraform.storage.reading import read_text

_LARGEST = 1_000_000
_LONGEST_INTEGER = 40
_DEEPEST = 50
_OPENING = (
    yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken,
)  # fmt: skip
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class _Loader(yaml.SafeLoader):
    """Scalars by the YAML 1.2 core schema: only true/false are booleans, no sexagesimal or octal-looking numbers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def _unique(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(f"line {key_node.start_mark.line + 1}: a key must be a plain name")
        if key_node.value in seen:
            raise ConfigError(f"line {key_node.start_mark.line + 1}: {key_node.value!r} is set twice: keep one")
        seen.add(key_node.value)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


def _number(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(node.value)


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    if len(node.value) > _LONGEST_INTEGER:
        raise ConfigError(f"line {node.start_mark.line + 1}: a number of {len(node.value)} digits: is one meant?")
    return int(node.value)


_Loader.add_constructor("tag:yaml.org,2002:map", _unique)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping.

    Raises
    ------
    ConfigError
        It is missing, too large, not YAML, uses tags, aliases, duplicate keys or `__use_yte__`.
    """
    try:
        text = read_text(path, _LARGEST)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    try:
        _check_tokens(text)
        document = yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path} holds a {type(document).__name__}: expected settings, one `name: value` a line")
    if "__use_yte__" in document:
        raise ConfigError(f"{path}: __use_yte__ would run code from the configuration: remove it")
    return document


def _check_tokens(text: str) -> None:
    """Refuse what would run code, burst or never end, before anything is built from it."""
    depth = 0
    for token in yaml.scan(text, Loader=_Loader):
        line = token.start_mark.line + 1
        if isinstance(token, yaml.AliasToken):
            raise ConfigError(f"line {line}: it uses aliases (*name): write the values out")
        if isinstance(token, yaml.TagToken):
            raise ConfigError(f"line {line}: it uses tags (!name): write the values without them")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEEPEST:
            raise ConfigError(f"line {line}: it is nested more than {_DEEPEST} deep: this is no configuration")


def plain(value: Any) -> Any:
    """Type the texts within a value as a plain scalar of a file would be: `null`, `true`, `4` and `1e-4`."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return _scalar(value) if isinstance(value, str) else value


def _scalar(text: str) -> Any:
    loader = _Loader("")
    mark = yaml.Mark("value", 0, 0, 0, "", 0)
    tag: str = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return loader.construct_object(yaml.ScalarNode(tag, text, mark))
