"""What every real server has in common: finding it, a port, an unprivileged process, an end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

UNPRIVILEGED = "nobody"  # root is refused by PostgreSQL and is too much for the others


class Missing(Exception):
    """The server's program is not on this machine; the text names the Debian package."""


class Server(ABC):
    """A server that is started for tests and stopped after them.

    A subclass says which program it is, how it is started and when it answers. ``folder`` is its
    own and empty at the start; ``port`` was free a moment ago.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    is_of_environment: ClassVar[bool] = False
    """Whether its program is in our own environment, which another user may be unable to read."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    @classmethod
    @abstractmethod
    def find(cls) -> Path | None:
        """The server's program, or None where it is not installed."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command that runs it in the foreground; called once :meth:`set_up` is done."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be used now; called until it can."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it listens, as its clients write it."""

    def set_up(self) -> None:  # noqa: B027 — optional for a subclass
        """Write configuration and data before the start."""

    def finish(self) -> None:  # noqa: B027 — optional for a subclass
        """Make databases, users or folders once it answers."""

    def environment(self) -> Mapping[str, str]:
        """The variables that lead the application to it."""
        return {}

    # --- For subclasses ---------------------------------------------------------------------

    @classmethod
    def program(cls) -> Path:
        """The server's program; raises :class:`Missing`."""
        found = cls.find()
        if found is None:
            raise Missing(f"{cls.name} is not installed (apt-get install {cls.package})")
        return found

    def run(self, *command: str) -> None:
        """Run a helper program as the server's user; its output is shown when it fails."""
        done = subprocess.run(
            [*as_unprivileged(), *command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def as_unprivileged() -> list[str]:
    """What to put before a command so that it doesn't run as root and ends with its parent."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "TERM"]
    user = pwd.getpwnam(UNPRIVILEGED)
    return [
        setpriv,
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "--pdeathsig=TERM",
    ]


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def started(kind: type[Server]) -> Iterator[Server]:
    """Start one server of a kind, wait until it answers, and stop it at the end.

    Raises :class:`Missing` where it is not installed, and RuntimeError with its log where it
    does not come up within 30 s.
    """
    kind.program()
    with tempfile.TemporaryDirectory(
        prefix=f"bluetel-{kind.name}-", ignore_cleanup_errors=True
    ) as folder:
        server = kind(Path(folder), free_port())
        user = [] if kind.is_of_environment else as_unprivileged()
        if os.geteuid() == 0 and user:
            shutil.chown(server.folder, UNPRIVILEGED)
        server.set_up()
        log = server.folder / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*user, *server.command()],
                cwd=server.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until(server.answers, process, log)
            server.finish()
            yield server
        finally:
            process.send_signal(kind.stop_signal)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait for ``condition``; raises TimeoutError."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s")
        pause.wait(0.05)


def _wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    with contextlib.suppress(TimeoutError):
        until(lambda: process.poll() is not None or answers())
    if process.poll() is not None or not answers():
        text = log.read_text(errors="replace")
        raise RuntimeError(f"{process.args!r} did not come up:\n{text}")
