"""The installation's own secret: given by the administrator, or made once and kept."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret_key(given: str, *, data_dir: Path) -> str:
    """``given``, or the key in the data directory, made there at the first start (mode 0600)."""
    if given:
        return given
    path = data_dir / "secret_key"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    data_dir.mkdir(parents=True, exist_ok=True)
    # Two processes may start at once: each writes a whole file, the first link wins.
    draft = data_dir / f".secret_key.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
