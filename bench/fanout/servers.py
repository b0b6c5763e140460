"""The servers that are measured, each a process of its own, and the client in front of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.processes import cpu_seconds, memory
from bench.servers import ROOT, free_port

HERE = Path(__file__).resolve().parent
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
SESSIONS = 200
NCHAN_CONFIG = """
load_module {module};
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    nchan_max_reserved_memory 256m;
    server {{
        listen 127.0.0.1:{port};
        location = /sub {{ nchan_subscriber websocket; nchan_channel_id all;
                           nchan_subscriber_first_message newest; }}
        location = /pub {{ nchan_publisher websocket; nchan_channel_id all;
                           nchan_message_buffer_length 200; }}
    }}
}}
"""


@dataclass(slots=True)
class Server:
    """A server under load; ``options`` are the load client's."""

    port: int
    process: subprocess.Popen[bytes]
    options: list[str] = field(default_factory=list)

    def cpu(self) -> float:
        """The seconds of a core that it and its workers have used."""
        return sum(map(cpu_seconds, self._pids()))

    def memory(self) -> int:
        """The bytes of memory that it and its workers hold."""
        return sum(map(memory, self._pids()))

    def _pids(self) -> list[int]:
        own = self.process.pid
        listed = Path(f"/proc/{own}/task/{own}/children").read_text(encoding="ascii")
        return [own, *map(int, listed.split())]


@contextmanager
def raw() -> Iterator[Server]:
    """``websockets.broadcast``."""
    with _python("bench.fanout.raw_server") as server:
        yield server


@contextmanager
def naive(*, per_user: bool = False) -> Iterator[Server]:
    """A Channels consumer for each page, in one group or in a group for each user it watches."""
    with _python("bench.fanout.naive_server", json.dumps(per_user)) as server:
        yield server


@contextmanager
def nchan() -> Iterator[Server]:
    """Nginx with nchan, where Debian's package of it is installed."""
    with tempfile.TemporaryDirectory(prefix="bluetel-nchan-") as folder:
        port = free_port()
        Path(folder).chmod(0o755)
        config = Path(folder) / "nginx.conf"
        config.write_text(NCHAN_CONFIG.format(module=NCHAN, folder=folder, port=port))
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin") or "nginx"
        with _process([program, "-c", str(config), "-e", f"{folder}/error.log"], port) as process:
            yield Server(port, process)


def has_nchan() -> bool:
    """Whether the peer in C can be measured here."""
    return NCHAN.exists()


@contextmanager
def hub(kind: str, *, population: int = 1000) -> Iterator[Server]:
    """BlueTel with so many users on ``daphne`` or ``uvicorn``; its pages are signed in."""
    with tempfile.TemporaryDirectory(prefix="bluetel-bench-") as data_dir:
        environ = {"BLUETEL_DATA_DIR": data_dir, "BLUETEL_LOG_LEVEL": "WARNING"}
        cookies = Path(data_dir) / "cookies"
        _run([sys.executable, "manage.py", "migrate", "-v0"], environ)
        _run(
            [
                sys.executable,
                "-m",
                "bench.fanout.people",
                str(population),
                str(SESSIONS),
                str(cookies),
            ],
            environ,
        )
        port = free_port()
        command = [sys.executable, "-m", "bench.fanout.hub_server", kind, str(port)]
        with _process(command, port, environ) as process:
            yield Server(
                port,
                process,
                [
                    *["--sub", "/ws/live/", "--cookies", str(cookies)],
                    *["--origin", f"Origin: http://127.0.0.1:{port}"],
                ],
            )


@dataclass(frozen=True, slots=True)
class Load:
    """What the client measured, and what the server used: cores' seconds and bytes."""

    result: Mapping[str, Any]
    cpu_connecting: float
    memory_connecting: int
    cpu: float
    memory: int

    @property
    def per_delivery(self) -> float:
        """Microseconds of a core for each event at each socket."""
        return self.cpu * 1e6 / max(1, int(self.result["delivered"]))

    @property
    def per_event(self) -> float:
        """Microseconds of a core for each event."""
        return self.cpu * 1e6 / max(1, int(self.result["published"]))

    @property
    def deliveries_per_second(self) -> float:
        """How many a second."""
        return float(self.result["delivered"]) / max(0.001, float(self.result["seconds"]))


def load(client: Path, server: Server, *options: str) -> Load:
    """Put the load client in front of a server."""
    at_first, memory_at_first = server.cpu(), server.memory()
    with subprocess.Popen(
        [client, "--port", str(server.port), *server.options, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the load client could not connect")
        connected, memory_connected = server.cpu(), server.memory()
        process.stdin.write("go\n")
        process.stdin.flush()
        result = json.loads(process.stdout.readline())
        at_last, memory_at_last = server.cpu(), server.memory()
    return Load(
        result,
        connected - at_first,
        memory_connected - memory_at_first,
        at_last - connected,
        memory_at_last - memory_connected,
    )


@contextmanager
def compiled_client() -> Iterator[Path]:
    """The load client, compiled."""
    if shutil.which("gcc") is None:
        raise SystemExit("the bench fanout needs a compiler: sudo apt-get install gcc libc6-dev")
    with tempfile.TemporaryDirectory(prefix="bluetel-load-") as folder:
        program = Path(folder) / "load"
        subprocess.run(
            ["gcc", "-O2", "-Wall", "-o", str(program), str(HERE / "load.c")], check=True
        )
        yield program


@contextmanager
def _python(module: str, *arguments: str) -> Iterator[Server]:
    port = free_port()
    with _process([sys.executable, "-m", module, str(port), *arguments], port) as process:
        yield Server(port, process)


@contextmanager
def _process(
    command: Sequence[str], port: int, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=_environment(environ), stdout=subprocess.DEVNULL
    )
    try:
        _wait_until_listening(process, port)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    listening = f":{port:04X} 00000000:0000 0A"
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        if listening in Path("/proc/net/tcp").read_text(encoding="ascii"):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port}")


def _run(command: Sequence[str], environ: Mapping[str, str]) -> None:
    subprocess.run(command, cwd=ROOT, env=_environment(environ), check=True)


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BLUETEL_")}
    return {**clean, **(more or {})}
