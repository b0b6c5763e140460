"""What the benches measure: a simulated PBX, and BlueTel in front of it, each its own process."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import requests

from tests.servers.certificates import Authority

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py"]
STUB = [sys.executable, "-m", "bench.stub_pbx"]


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class BlueTel:
    """A running BlueTel: its address, its PBX's, its process and its environment."""

    url: str
    pbx_url: str
    pid: int
    environ: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """The last line a management command prints."""
        return self.manage_all(*arguments)[-1]

    def manage_all(self, *arguments: str) -> list[str]:
        """The lines a management command prints."""
        answer = subprocess.run(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return answer.stdout.strip().splitlines()

    def tokens(self, usernames: list[str]) -> list[str]:
        """An API token for each, made in one process."""
        return self.manage(
            "shell",
            "-v0",
            "-c",
            "from bluetel.accounts.services import create_api_token, find_user\n"
            f"print(' '.join(create_api_token(find_user(name)) for name in {usernames!r}))",
        ).split()

    def with_settings(self, **settings: str) -> BlueTel:
        """The same with other settings, for the next process."""
        return replace(self, environ={**self.environ, **settings})

    def fault(self, **faults: object) -> None:
        """Have the PBX misbehave."""
        requests.post(f"{self.pbx_url}/_simulator/faults", json=faults, timeout=5)


def pbx_token(pbx_url: str) -> str:
    """A token of the PBX's service account, for what speaks to it without BlueTel."""
    answer = requests.post(
        f"{pbx_url}/api/auth/0.1/token", json={}, auth=("bluetel", "bluetel"), timeout=5
    )
    token: str = answer.json()["data"]["token"]
    return token


@contextmanager
def stub_pbx() -> Iterator[str]:
    """The address of a PBX that answers in one millisecond and does nothing."""
    port = free_port()
    with _running([*STUB, str(port)], environ=_environment({})):
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/_stub")
        yield url


@contextmanager
def empty_view() -> Iterator[str]:
    """The address of an empty view on daphne."""
    port = free_port()
    daphne = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)]
    with _running([*daphne, "bench.empty_view:application"], environ=_environment({})):
        url = f"http://127.0.0.1:{port}/"
        _wait_for(url)
        yield url


@contextmanager
def tls_stub_pbx() -> Iterator[tuple[str, str]]:
    """The same by https, as every real PBX is reached: its address and its authority's file."""
    port = free_port()
    authority = Authority("bench")
    with tempfile.TemporaryDirectory(prefix="bluetel-bench-") as folder:
        names = ["ca.pem", "certificate.pem", "key.pem"]
        ca_file, *pair = [str(Path(folder) / name) for name in names]
        contents = [authority.certificate, *authority.issue("127.0.0.1")]
        for path, content in zip([ca_file, *pair], contents, strict=True):
            Path(path).write_bytes(content)
        with _running([*STUB, str(port), *pair], environ=_environment({})):
            url = f"https://127.0.0.1:{port}"
            _wait_for(f"{url}/_stub", ca_file=ca_file)
            yield url, ca_file


@contextmanager
def simulated_pbx(*, users: int = 9, dialect: str = "wazo") -> Iterator[str]:
    """A simulated PBX's address."""
    port = free_port()
    simulator = ["simulate_pbx", "--dialect", dialect, "--host", "127.0.0.1"]
    options = ["--port", str(port), "--users", str(users)]
    with _running([*MANAGE, *simulator, *options], environ=_environment({})):
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/_simulator/phones")
        yield url


@contextmanager
def bluetel(pbx_url: str, **settings: str) -> Iterator[BlueTel]:
    """BlueTel in its embedded form, as an administrator sets it up in front of ``pbx_url``."""
    with prepared(pbx_url, **settings) as ready, serving(ready) as server:
        yield server


@contextmanager
def prepared(pbx_url: str, **settings: str) -> Iterator[BlueTel]:
    """The same before anything of it runs: a database, the PBX and its people."""
    with migrated(pbx_url, **settings) as ready:
        connect = ["connect_pbx", "bench", "--kind", "wazo", "--url", pbx_url]
        ready.manage(*connect, "--username", "bluetel", "--password-env", "BENCH_PASSWORD")
        ready.manage("sync_users", "bench")
        yield ready


@contextmanager
def migrated(pbx_url: str, **settings: str) -> Iterator[BlueTel]:
    """The database alone; ``BENCH_PASSWORD`` holds that of the simulated PBXs' service account."""
    with tempfile.TemporaryDirectory(prefix="bluetel-bench-") as data_dir:
        port = free_port()
        environ = _environment(
            {
                "BLUETEL_DATA_DIR": data_dir,
                "BLUETEL_PORT": str(port),
                "BLUETEL_CALLS_PER_MINUTE": "1000000",
                "BENCH_PASSWORD": "bluetel",
                **settings,
            }
        )
        url = f"http://127.0.0.1:{port}"
        ready = BlueTel(url, pbx_url, 0, environ)
        ready.manage("migrate")
        yield ready


@contextmanager
def serving(ready: BlueTel) -> Iterator[BlueTel]:
    """One process of it that serves."""
    with _running([*MANAGE, "serve"], environ=ready.environ) as process:
        _wait_for(f"{ready.url}/accounts/login/")
        yield replace(ready, pid=process.pid)


@contextmanager
def _running(command: list[str], *, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _environment(settings: dict[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BLUETEL_")}
    return {**clean, **settings}


def _wait_for(url: str, *, seconds: float = 60, ca_file: str = "") -> None:
    end = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < end:
        try:
            if requests.get(url, timeout=2, verify=ca_file or True).status_code < 500:
                return
        except requests.RequestException:
            pause.wait(0.1)
    raise RuntimeError(f"{re.sub('[0-9]+$', 'PORT', url)} did not come up")
