"""What every section of the configuration shares: checks and small types."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$"
Name = Annotated[str, Field(pattern=SLUG, coerce_numbers_to_str=True)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """Unknown settings, infinities and NaN are refused; nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)
