"""What every section of the configuration shares: checks and small types."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$"
Name = Annotated[str, Field(pattern=SLUG, coerce_numbers_to_str=True)]
Share = Annotated[float, Field(ge=0, le=1)]


_LARGEST = 1e15
"""Of any number of the configuration, unless its field says less: beyond it arithmetic in 32 bits ends."""


class Section(BaseModel):
    """Unknown settings, infinities, NaN and absurdly large numbers are refused; nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        for name, value in self:
            if isinstance(value, float) and abs(value) > _LARGEST:
                raise ValueError(f"{name}: given {value:g}, expected at most {_LARGEST:g}")
        return self
