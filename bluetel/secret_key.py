"""The installation's own secret: given by the administrator, or made once and kept."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
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
    with tempfile.NamedTemporaryFile("w", dir=data_dir, encoding="ascii") as draft:
        draft.write(secrets.token_urlsafe(50))
        draft.flush()
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, path)
    return path.read_text(encoding="ascii").strip()
