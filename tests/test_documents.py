"""What documents name exists."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
NAMED = re.compile(r"([\w/]+\.py)::(test_\w+)")


def test_every_test_of_the_table_of_faults_exists():
    named = NAMED.findall((TESTS.parent / "docs/reliability.md").read_text(encoding="utf-8"))
    assert len(named) > 80
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (TESTS / file).is_file() or f"def {name}(" not in (TESTS / file).read_text(encoding="utf-8")
    ]
    assert missing == []
