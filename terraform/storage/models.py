"""Where published models lie: base model, base maps, generator, encoder."""

from pathlib import Path

_MODELS = (Path("models"), Path(__file__).parents[1] / "models")
"""Folders: the working directory's, and the package's, which a checkout links to its own."""


def published(name: str) -> Path | None:
    """Find a published model, or None where there is none of that name."""
    return next((folder / name for folder in _MODELS if (folder / name).is_file()), None)
