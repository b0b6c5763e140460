"""Jobs for the tests of the job port."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from bluetel.work.jobs import job

done: list[tuple[str, object]] = []
on_run: list[Callable[[], None]] = []


@job
def note(*, word: str) -> None:
    """Remember a word."""
    for action in on_run:
        action()
    done.append(("note", word))


@job
def fail(*, word: str) -> None:
    """Never succeed."""
    raise ValueError(word)


@job
def write(*, path: str, word: str) -> None:
    """Append a word to a file."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{word}\n")


def environment() -> dict[str, str]:
    """What a program needs to use this test's database."""
    found = connection.settings_dict
    name = quote(str(found["NAME"]))
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        who = f"{quote(found['USER'])}:{quote(found['PASSWORD'])}"
        url = f"postgresql://{who}@{found['HOST']}:{found['PORT']}/{name}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "bluetel.settings"}
