"""The installation's own secret: given by the administrator, or made once and kept."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from bluetel.env import SettingsError


def secret_key(given: str, *, data_dir: Path) -> str:
    """``given``, or the key in the data directory, made there at the first start (mode 0600).

    Raises :class:`SettingsError` where it can't be read or made.
    """
    if given:
        return given
    path = data_dir / "secret_key"
    try:
        return _kept(path)
    except OSError as error:
        raise SettingsError(f"{path} can't be read or made: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not the key that was made there: it is no text") from None


def _kept(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may start at once: each writes a whole file, the first link wins.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as draft:
        draft.write(secrets.token_urlsafe(50))
        draft.flush()
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, path)
    return path.read_text(encoding="ascii").strip()
