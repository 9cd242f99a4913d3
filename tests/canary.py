"""A secret that is told to a run in every place where secrets are, and the search for it in what came of it."""

import os
from pathlib import Path

CANARY = "CANARY-7f3a9c"
_VARIABLES = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "EARTHENGINE_PROJECT", "EARTHENGINE_TOKEN",
    "GDAL_HTTP_USERPWD", "GDAL_HTTP_HEADERS", "HF_TOKEN", "WANDB_API_KEY", "PGPASSWORD",
)  # fmt: skip


def secrets(folder: Path) -> dict[str, str]:
    """Make an environment whose secrets and home hold the canary; the home and a key lie in a folder."""
    home = folder / f"{CANARY}-home"
    (home / ".config/earthengine").mkdir(parents=True)
    for path in (home / "key.json", home / ".config/earthengine/credentials"):
        path.write_text(f'{{"private_key": "{CANARY}", "refresh_token": "{CANARY}"}}')
    (home / ".netrc").write_text(f"default login me password {CANARY}\n")
    proxy = f"http://me:{CANARY}@127.0.0.1:9"
    return {
        **os.environ, **dict.fromkeys(_VARIABLES, CANARY), "HOME": str(home), "HTTPS_PROXY": proxy,
        "https_proxy": proxy, "GOOGLE_APPLICATION_CREDENTIALS": str(home / "key.json"),
        "NO_PROXY": "127.0.0.1,localhost",
    }  # fmt: skip


def holders(folder: Path) -> list[str]:
    """Name every file below a folder that holds the canary, or has it in its name."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    found = [path for path in files if CANARY in str(path.relative_to(folder)) or CANARY.encode() in path.read_bytes()]
    return sorted(str(path.relative_to(folder)) for path in found)
