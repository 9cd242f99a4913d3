"""What every section of the configuration shares: checks and small types."""

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$"
Name = Annotated[str, Field(pattern=SLUG, coerce_numbers_to_str=True)]
Share = Annotated[float, Field(ge=0, le=1)]


_LARGEST = 1e15
"""Of any number of the configuration, unless its field says less: beyond it arithmetic in 32 bits ends."""


class Section(BaseModel):
    """Unknown settings, infinities, NaN and absurdly large numbers are refused; nothing changes once it is read."""

    # Checked once, as parts of the whole: built one by one, a start took 0.03 s more.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        for name, value in self:
            if isinstance(value, float) and abs(value) > _LARGEST:
                raise ValueError(f"{name}: given {value:g}, expected at most {_LARGEST:g}")
        return self


def schema_of(model: type[Section]) -> dict[str, Any]:
    """Make the JSON schema of a section, with the docstrings of its settings as descriptions.

    They are read when a schema is asked for: with pydantic's `use_attribute_docstrings` every start would read them.
    """
    schema = model.model_json_schema()
    for name, part in {**schema["$defs"], model.__name__: schema}.items():
        settings = part["properties"]
        for setting, text in _docstrings(_named(name)):
            if setting in settings:
                settings[setting] = dict(sorted({**settings[setting], "description": text}.items()))
    return schema


def _named(name: str, of: type[Section] = Section) -> type[Section]:
    """Find a class of the configuration."""
    waiting = [of]
    while waiting:
        found = waiting.pop()
        if found.__name__ == name:
            return found
        waiting += found.__subclasses__()
    raise LookupError(name)


def _docstrings(model: type[Section]) -> Iterator[tuple[str, str]]:
    """Yield settings with the text below each, the class's own after those that it inherits."""
    for base in reversed(model.__mro__):
        if not issubclass(base, Section):
            continue
        (of,) = ast.parse(inspect.getsource(base)).body
        statements = of.body if isinstance(of, ast.ClassDef) else []
        for setting, below in pairwise(statements):
            text = below.value if isinstance(below, ast.Expr) else None
            if (
                isinstance(setting, ast.AnnAssign)
                and isinstance(setting.target, ast.Name)
                and isinstance(text, ast.Constant)
            ):
                yield setting.target.id, inspect.cleandoc(str(text.value))
