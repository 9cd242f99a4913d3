"""Options that commands share, and what they mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terraform.config import Config, Split, load

if TYPE_CHECKING:
    from terraform.geo.regions import Region

Configs = Annotated[
    list[Path] | None, typer.Option("--config", help="Configuration; repeat it for overlays. Default: config.yaml.")
]
RegionName = Annotated[str, typer.Option("--region", help="Name of a region of the regions file.")]
Folder = Annotated[Path, typer.Argument(help="A folder of pairs, as `cut` writes it.")]
Folders = Annotated[list[Path], typer.Argument(help="Folders of pairs, as `cut` writes them.")]
Output = Annotated[Path, typer.Option(help="Where the result goes.")]
Weights = Annotated[Path, typer.Option(help="A trained generator, weights.safetensors.")]


def configured(paths: list[Path] | None, required: bool = True) -> Config:
    default = Path("config.yaml")
    if not paths and not required and not default.exists():
        return Config()
    return load(*(paths or [default]))


def region_named(config: Config, name: str) -> "Region":
    from terraform.geo.regions import load_regions, select

    return select(load_regions(config.regions.file), [name], config.split.model_dump())[name]


def with_roles(config: Config, pairs: list[Path]) -> Config:
    """Fill the split from the regions file, which needs shapely; not where the split names all regions itself."""
    named = {name for role in ("train", "validation", "test") for name in getattr(config.split, role)}
    names = [folder.resolve().name for folder in pairs]
    if named.issuperset(names):
        return config
    from terraform.geo.regions import load_regions, of_role, select

    regions = select(load_regions(config.regions.file), names, config.split.model_dump())
    roles: dict[str, Any] = {
        role: [region.name for region in of_role(regions, role)] for role in ("train", "validation", "test")
    }
    return config.model_copy(update={"split": Split(**roles)})
