"""Whole BlueTel processes over a simulated Wazo, as an administrator runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import requests

from bluetel.telephony.simulator import scenario
from bluetel.telephony.simulator.wazo_server.serve import LoopbackWazo
from tests import migrated

ROOT = Path(__file__).resolve().parents[2]
UP_WITHIN = 60.0
PREPARE = """
import json, sys, django
django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
call_command("migrate", verbosity=0)
from bluetel.accounts.models import Pbx
from bluetel.accounts.pbx import backend_for, close_backends
from bluetel.accounts.services import sync_users
pbx = Pbx.objects.create(
    name="house", kind="wazo", url=sys.argv[1], username="bluetel", password="bluetel"
)
sync_users(pbx, backend_for(pbx).users())
people = {}
for user in pbx.users.all():
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "bluetel.accounts.backends.AccountBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    people[user.extension] = [str(user.pk), session.session_key]
close_backends()
print(json.dumps(people))
"""


@dataclass
class Process:
    """One started process; ``lines`` are what it said so far."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Keep what it says; a full pipe would stop it."""
        for line in self.process.stdout or ():
            self.lines.append(line)

    def wait_until_up(self) -> None:
        """Wait for its first answer."""
        self._wait(self._answers)

    def wait_until_said(self, text: str) -> None:
        """Wait until it says something with ``text`` in it."""
        self._wait(lambda: any(text in line for line in self.lines))

    def freeze(self) -> None:
        """Stop all of it, and return when nothing of it runs any more."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):  # noqa: S310 — loopback
                return True
        except OSError:
            return False

    def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + UP_WITHIN
        pause = threading.Event()
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("never came up:\n" + "".join(self.lines))
            pause.wait(0.05)


class Api:
    """The JSON API in a signed-in session."""

    def __init__(self, url: str, session_key: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.cookies["bluetel"] = session_key

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send and give what it answers, which must be well."""
        if "csrftoken" not in self._session.cookies:
            self._session.get(f"{self._url}/settings/calendar/", timeout=30).raise_for_status()
        answer = self._session.request(
            method,
            f"{self._url}/api/v1/{path}",
            json=body,
            headers={"X-CSRFToken": self._session.cookies["csrftoken"], "Referer": self._url},
            timeout=30,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


class Site:
    """The database, the simulated Wazo and the processes of one test; all end with it."""

    def __init__(self, folder: Path, wazo: LoopbackWazo, environ: Mapping[str, str]) -> None:
        self.wazo = wazo
        self._started: list[Process] = []
        self._ending = ExitStack()
        self._environ = {
            name: value for name, value in os.environ.items() if not name.startswith("BLUETEL_")
        } | {
            "DJANGO_SETTINGS_MODULE": "bluetel.settings",
            "PYTHONUNBUFFERED": "1",
            "BLUETEL_DATA_DIR": str(folder),
            # Of each site its own, which keeps it apart from others on the same Redis.
            "BLUETEL_SECRET_KEY": f"of the site in {folder}, and quite long enough for Django",
            **environ,
        }
        done = subprocess.run(
            [sys.executable, "-c", PREPARE, wazo.url],
            cwd=ROOT,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        self.people: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])

    def close(self) -> None:
        """End all processes, and print what they said: pytest shows it when the test failed."""
        self._ending.close()
        for process in self._started:
            print(f"--- {process.process.args!r}", *process.lines, sep="\n")  # noqa: T201 — for pytest

    def user_id(self, extension: str) -> str:
        """BlueTel's id of that extension's user."""
        return self.people[extension][0]

    def cookie(self, extension: str) -> str:
        """A signed-in session of that extension's user."""
        return f"bluetel={self.people[extension][1]}"

    def api(self, extension: str, process: Process) -> Api:
        """The API of a process as that extension's user, in a browser's session."""
        return Api(process.url, self.people[extension][1])

    def serve(self, **environ: str) -> Process:
        """``serve`` on a free port: daphne with an engine."""
        port = free_port()
        return self._start(port, "manage.py", "serve", "--port", str(port), **environ)

    def web(self) -> Process:
        """``run_web`` on a free port: daphne without an engine."""
        port = free_port()
        return self._start(port, "manage.py", "run_web", "--port", str(port))

    def uvicorn(self) -> Process:
        """A web process without an engine, on uvicorn."""
        port = free_port()
        return self._start(
            port,
            *("-m", "uvicorn", "bluetel.asgi:application", "--port", str(port)),
            *("--ws", "websockets-sansio", "--no-access-log", "--log-level", "warning"),
        )

    def engine(self) -> Process:
        """``run_engine``, beside web processes that hear it through Redis."""
        started = self._spawn("", "manage.py", "run_engine")
        started.wait_until_said("on duty")
        return started

    def start(self, *command: str) -> Process:
        """Any other Python program in the site's environment."""
        return self._spawn("", *command)

    def run(self, *command: str) -> str:
        """What a command that ends by itself says."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout

    def _start(self, port: int, *command: str, **environ: str) -> Process:
        started = self._spawn(f"http://127.0.0.1:{port}", *command, **environ)
        started.wait_until_up()
        return started

    def _spawn(self, url: str, *command: str, **environ: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**self._environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started = Process(url, process)
        self._started.append(started)
        reader = threading.Thread(target=started.read, daemon=True)
        reader.start()
        self._ending.callback(_end, process, reader)
        return started


@contextmanager
def running_site(*, users: int = len(scenario.CAST), **environ: str) -> Iterator[Site]:
    """A site on the stack under test, in a database of its own; its processes get ``environ``."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bluetel-live-")))
        server = environ.pop("DATABASE_URL", os.environ.get("DATABASE_URL", ""))
        database = stack.enter_context(own_database(server, folder))
        model = scenario.build(now=datetime.now(UTC), users=users)
        wazo = stack.enter_context(LoopbackWazo(model))
        site = Site(folder, wazo, {"DATABASE_URL": database, **environ})
        stack.callback(site.close)
        yield site


@contextmanager
def own_database(url: str, folder: Path) -> Iterator[str]:
    """A new database on the server of ``url``; SQLite's is a file in the site's ``folder``."""
    if not re.match("postgres", url):
        if migrated.FILE.exists():
            shutil.copy(migrated.FILE, folder / "bluetel.sqlite3")
        yield ""
        return
    name = f"live_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(url, autocommit=True) as server:
        template = f" TEMPLATE {migrated.TEMPLATE}" if migrated.is_on(server) else ""
        server.execute(f'CREATE DATABASE "{name}"{template}'.encode())
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[str], reader: threading.Thread) -> None:
    process.kill()
    process.wait()
    reader.join()
    if process.stdout is not None:
        process.stdout.close()
