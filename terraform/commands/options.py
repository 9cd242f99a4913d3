"""Options that commands share, and what they mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terraform.errors import ConfigError

if TYPE_CHECKING:
    from terraform.config import Config
    from terraform.geo.regions import Region

Configs = Annotated[
    list[Path] | None, typer.Option("--config", help="Configuration; repeat it for overlays. Default: config.yaml.")
]
RegionName = Annotated[str, typer.Option("--region", help="Name of a region of the regions file.")]
Folder = Annotated[Path, typer.Argument(help="A folder of pairs, as `cut` writes it.")]
Folders = Annotated[list[Path], typer.Argument(help="Folders of pairs, as `cut` writes them.")]
Output = Annotated[Path, typer.Option(help="Where the result goes.")]
Weights = Annotated[Path, typer.Option(help="A trained generator, weights.safetensors.")]

Tints = Annotated[
    Path | None, typer.Option(help="Tints of the body of the pairs, tints.tif of draw-base-colours: condition.tints.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


def configured(paths: list[Path] | None, required: bool = True) -> "Config":
    """Read the configuration files of a command line, `config.yaml` when none is named.

    Parameters
    ----------
    required : bool
        Otherwise the defaults serve where there is no `config.yaml`.
    """
    from terraform.config import Config, load

    default = Path("config.yaml")
    if not paths and not required and not default.exists():
        return Config()
    return load(*(paths or [default]))


def region_named(config: "Config", name: str) -> "Region":
    """Look up a region of the regions file, in its role.

    Raises
    ------
    ConfigError
        The file has no such region.
    """
    from terraform.geo.regions import load_regions, select

    return select(load_regions(config.regions.file), [name], config.split.model_dump())[name]


def by_role(config: "Config", folders: list[Path]) -> dict[str, list[Path]]:
    """Folders of pairs by their region's role.

    Where the configuration's split names all of them, the regions file (which needs shapely) is not read.

    Raises
    ------
    ConfigError
        A folder is not named after a region, or there is neither a regions file nor a split that names it.
    """
    roles = {name: role for role, names in config.split for name in names}
    names = [folder.resolve().name for folder in folders]
    unnamed = sorted(set(names) - roles.keys())
    if unnamed:
        if not Path(config.regions.file).exists():
            raise ConfigError(
                f"the role of {', '.join(unnamed)} is not known: there is no {config.regions.file}; name the folder in "
                f"a configuration, such as `python -m terraform config set 'split.test=[{unnamed[0]}]'`"
            )
        from terraform.geo.regions import load_regions, select

        regions = select(load_regions(config.regions.file), names, config.split.model_dump())
        roles = {name: region.role for name, region in regions.items()}
    grouped: dict[str, list[Path]] = {"train": [], "validation": [], "test": []}
    for name, folder in zip(names, folders, strict=True):
        grouped.setdefault(roles[name], []).append(folder)
    return grouped
