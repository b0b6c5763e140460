"""The administrator's commands before ``migrate``, and while the database can't be reached."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from bluetel.management import commands
from bluetel.management.database_command import DatabaseCommand

ROOT = Path(__file__).resolve().parents[3]
WITHOUT_DATABASE = {"simulate_pbx", "rewrite_voicemail"}

pytestmark = pytest.mark.once


def run(data: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, whose database nobody has made."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=kept | {"BLUETEL_DATA_DIR": str(data)} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_before_migrate_a_command_says_that_it_comes_first(tmp_path: Path) -> None:
    done = run(tmp_path, "create_api_token", "ada")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "CommandError: the database lacks tables of this version: run manage.py migrate first"
    ]


def test_a_database_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    elsewhere = f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite3'}"
    done = run(tmp_path, "create_api_token", "ada", DATABASE_URL=elsewhere)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "CommandError: the database can't be used: unable to open database file"
    ]


@pytest.mark.parametrize("name", [found.name for found in iter_modules(commands.__path__)])
def test_every_command_with_a_database_says_so(name: str) -> None:
    command = import_module(f"bluetel.management.commands.{name}").Command
    assert issubclass(command, DatabaseCommand) is (name not in WITHOUT_DATABASE)
