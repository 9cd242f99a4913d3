"""A Markdown file of sections, each written by whoever makes what it describes."""

import re
from collections.abc import Mapping
from pathlib import Path

from terraform.storage.atomic_write import write_text

MODELS_TITLE = "# Published models\n\nWhat they draw is plausible, never predicted.\n"
"""Of `models/README.md`, which has a section for each published file."""


def as_part(card: str) -> str:
    """Take a document as a part of a section: without front matter and title mark, its headings a level lower."""
    if card.startswith("---\n"):
        card = card.partition("\n---\n")[2]
    lower = re.sub(r"^(#+ )", r"#\1", card.strip().removeprefix("# "), flags=re.MULTILINE)
    return lower.strip()


def replace_sections(path: Path, title: str, sections: Mapping[str, str]) -> None:
    """Put sections in place of those of the same heading, first; what else stands in the file stays.

    Parameters
    ----------
    path : Path
    title : str
        What a new file begins with.
    sections : mapping of heading to text
        The text begins with its heading, `## NAME`.
    """
    old = path.read_text(encoding="utf-8") if path.exists() else title
    head, *others = old.split("\n## ")
    kept = [f"## {section}" for section in others if section.partition("\n")[0].strip() not in sections]
    write_text(path, "\n".join(part.rstrip("\n") + "\n" for part in (head, *sections.values(), *kept)))
