"""The outer half of ``manage.py rewrite_voicemail``: whatever happens, the mail goes on.

Nothing here needs Django, the settings or the database: those live in a child process. Unless it
answers within :data:`PATIENCE` and ends well, what came in goes out, byte for byte. The exit code
is 0 either way, for Postfix would send the mail back otherwise.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

INSIDE = "--inside"
"""Tells the child that it is one."""

SETTINGS = "bluetel.pipe_settings"
PATIENCE = 5.0


def main(argv: list[str]) -> int:
    """Pass standard input on to standard output, rewritten if that is possible."""
    mail = sys.stdin.buffer.read()
    sys.stdout.buffer.write(_rewritten(mail, argv) or mail)
    sys.stdout.buffer.flush()
    return 0


def _rewritten(mail: bytes, argv: list[str]) -> bytes:
    """What the child made of it; nothing when it failed."""
    try:
        done = subprocess.run(  # noqa: S603 — this very program
            [sys.executable, *argv, INSIDE],
            input=mail,
            capture_output=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS},
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        _explain(type(error).__name__)
        return b""
    if done.returncode != 0:
        _explain(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
        return b""
    return done.stdout


def _explain(why: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"bluetel: the mail passed unchanged: {why}\n")
