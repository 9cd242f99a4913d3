"""The digest of code: comments do not count, real edits do, wherever they are imported."""

import shutil
import subprocess
from pathlib import Path

import pytest

from terraform import digest
from terraform.errors import ConfigError

FILES = {
    "__init__.py": "__version__ = 1\n",
    "a.py": '"""A."""\nfrom terraform.b import f\n\n\ndef g(x):\n    """Doc."""\n    return f(x) + 1  # why\n',
    "b.py": (
        "from terraform import __version__\nfrom terraform.learn.runtime import log\n"
        "from terraform.storage import disk\n\n\ndef f(x):\n    from terraform.deep import late\n    if not x:\n"
        "        raise ValueError(f'{x} is nothing')\n    print('fine', x)\n    return late.h(x)\n"
    ),
    "deep/__init__.py": "",
    "deep/late.py": "def h(x):\n    return f'{x!r:>{3}}'\n",
    "other.py": "Y = 1\n",
    "learn/runtime/log.py": "WIDTH = 1\n",
    "storage/disk.py": "FULL = 'full'\n",
    "__main__.py": "from terraform import a\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(digest, "_ROOT", tmp_path)
    return tmp_path


def after(package: Path, name: str, old: str, new: str) -> bool:
    """Whether an edit changes the digest of module a."""
    before = digest.code_digest(["terraform.a"])
    path = package / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new), encoding="utf-8")
    return digest.code_digest(["terraform.a"]) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.py", "# why", "# another reason"),
        ("a.py", "Doc.", "Another text."),
        ("a.py", '"""A."""', '"""Of the module."""\n\n'),
        ("a.py", "f(x) + 1", "(\n        f(x)\n        + 1\n    )"),
        ("b.py", "def f", "# new comment\ndef f"),
        ("other.py", "1", "2"),
        ("b.py", "is nothing", "must not be 0"),
        ("b.py", "print('fine', x)", "print('all is well')"),
        ("learn/runtime/log.py", "1", "2"),
        ("storage/disk.py", "'full'", "'there is no room'"),
        ("__init__.py", "__version__ = 1", "__version__ = 2"),
    ],
)
def test_what_does_not_count(package, name, old, new):
    assert not after(package, name, old, new)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.py", "+ 1", "+ 2"),
        ("b.py", "late.h(x)", "late.h(-x)"),
        ("deep/late.py", "{3}", "{4}"),
        ("a.py", "+", "-"),
        ("b.py", "ValueError", "TypeError"),
        ("b.py", "        raise", "        x = 1\n    if x < 0:\n        raise"),
    ],
)
def test_what_counts(package, name, old, new):
    assert after(package, name, old, new)


@pytest.mark.parametrize(
    "block",
    ["class K:\n    {}", "if x:\n    pass\nelif y:\n    {}", "for x in y:\n    pass\nelse:\n    {}", "with x:\n    {}",
     "try:\n    pass\nexcept x:\n    {}", "try:\n    pass\nfinally:\n    {}", "match x:\n    case y:\n        {}"],
)  # fmt: skip
def test_imports_are_followed_in_every_kind_of_block(package, block):
    (package / "a.py").write_text(block.format("from terraform import other"), encoding="utf-8")
    assert digest.modules_of(["terraform.a"]) == ["terraform.a", "terraform.other"]


def test_a_missing_module_is_named(package):
    with pytest.raises(ConfigError, match=r"terraform\.none is missing"):
        digest.code_digest(["terraform.none"])


def test_every_stage_has_its_code():
    from terraform.config import Config
    from terraform.workflow import stages

    assert len({stages.code(name) for name in digest.STAGES}) == len(digest.STAGES)
    assert stages.source_code(Config(), "earth", "elevation")


def test_what_changes_no_result_is_there():
    root = Path(digest.__file__).parent
    for name in digest.CHANGES_NO_RESULT:
        place = root.joinpath(*name.split(".")[1:])
        assert place.is_dir() or place.with_suffix(".py").is_file(), f"{name} is gone: correct CHANGES_NO_RESULT"


@pytest.mark.parametrize("minor", [12, 13])
def test_minor_versions_of_python_agree(package, minor):
    python = shutil.which(f"python3.{minor}")
    if python is None or subprocess.run([python, "-V"], capture_output=True, check=False).returncode:
        pytest.skip(f"Python 3.{minor} is not installed")
    program = (
        f"import sys; sys.path.insert(0, {str(digest.__file__.rpartition('/terraform/')[0])!r})\n"
        f"from pathlib import Path; from terraform import digest; digest._ROOT = Path({str(package)!r})\n"
        "print(digest.code_digest(['terraform.a']))"
    )
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest.code_digest(["terraform.a"])
