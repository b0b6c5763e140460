"""Lint, types, layers, translations: ``scripts/checks.py [CHECK …]``, all of them by default.

Every check runs even if one before it failed; the output of the failed ones is shown, and the exit
code is 1.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
NODE_BIN = ROOT / "node_modules" / ".bin"
AT_ONCE = 2


@dataclass(frozen=True)
class Check:
    """One tool over the whole checkout."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)


def checks(data_dir: str) -> list[Check]:
    """All checks, the slowest first; ``data_dir`` is for those that load the settings."""
    python = str(BIN / "python")
    templates = tracked("templates", suffix=".html")
    # As on a public site: `check --deploy` warns of all that such a site must not do.
    deployed = {
        "BLUETEL_DATA_DIR": data_dir,
        "BLUETEL_PUBLIC_URL": "https://tel.example.org",
        "BLUETEL_SECRET_KEY": secrets.token_urlsafe(64),
    }
    here = {"BLUETEL_DATA_DIR": data_dir}
    return [
        Check("mypy", [str(BIN / "mypy")], here),
        Check("ruff", [str(BIN / "ruff"), "check", "."]),
        Check("format", [str(BIN / "ruff"), "format", "--check", "."]),
        Check("layers", [str(BIN / "lint-imports"), "--no-logo"]),
        Check("biome", [str(NODE_BIN / "biome"), "check", "."]),
        Check("tsc", [str(NODE_BIN / "tsc"), "--project", "tsconfig.json"]),
        Check("djade", [str(BIN / "djade"), "--check", "--target-version", "5.2", *templates]),
        Check("djlint", [str(BIN / "djlint"), "--quiet", "--lint", *templates]),
        Check("codespell", [str(BIN / "codespell")]),
        Check("deptry", [str(BIN / "deptry"), "."]),
        Check(
            "migrations",
            [python, "manage.py", "makemigrations", "--check", "--dry-run"],
            here,
        ),
        Check(
            "deploy",
            [python, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            deployed,
        ),
    ]


def tracked(*folders: str, suffix: str) -> list[str]:
    """The files below the folders that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(
        name
        for name in listed.stdout.splitlines()
        if name.endswith(suffix) and (ROOT / name).exists()
    )


def main(names: list[str]) -> int:
    """Run the named checks, or all; the exit code is returned."""
    with tempfile.TemporaryDirectory(prefix="bluetel-check-") as data_dir:
        chosen = [check for check in checks(data_dir) if not names or check.name in names]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            failed = [name for name, ok in pool.map(run, chosen) if not ok]
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed or not chosen else 0


def run(check: Check) -> tuple[str, bool]:
    """Run one check; its output is shown only when it fails."""
    started = time.monotonic()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BLUETEL_")}
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        env={**environ, **check.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    ok = done.returncode == 0
    text = f"{'ok    ' if ok else 'FAILED'} {check.name:12} {time.monotonic() - started:5.1f} s"
    print(text if ok else f"{text}\n{done.stdout}", flush=True)
    return check.name, ok


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
