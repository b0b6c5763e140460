"""Make what ``make run``, ``make test`` and ``make check`` need, once, and say so meanwhile.

Runs on a bare Python 3.11 (standard library only) and is quick when there is nothing to do: each
part leaves a stamp with the hash of what it was made from. Parts: ``runtime`` (the Python
environment for ``make run``), ``dev`` (that and the tests' tools and servers), ``node`` (the
JavaScript tools of ``make check``), ``bench`` (what only ``make bench`` takes). One part never
removes what another has installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"
POSTGRESQL = Path("/usr/lib/postgresql")
LIBC = Path("/usr/include/stdio.h")
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Need(NamedTuple):
    """A program of the machine, the Debian package that brings it, and what it is for."""

    package: str
    is_there: bool
    purpose: str


def main(parts: list[str]) -> None:
    """Prepare the named parts."""
    unknown = set(parts) - {"runtime", "dev", "node", "bench"}
    if unknown or not parts:
        stop(f"usage: scripts/prepare runtime|dev|node|bench …, not {' '.join(sorted(unknown))}")
    require(needs_of_python())
    if VENV.is_symlink():
        VENV.unlink()  # another checkout's, which is not ours to change
    VENV.mkdir(exist_ok=True)
    with (VENV / ".prepare.lock").open("w") as lock:  # not .lock, which is uv's own
        fcntl.flock(lock, fcntl.LOCK_EX)  # two targets at once wait for each other
        if "dev" in parts:
            install_python("dev")
        elif "runtime" in parts and not is_made("dev"):
            install_python("runtime")
        if "dev" in parts:
            wish(needs_of_tests())
        if "bench" in parts:
            wish(needs_of_bench())
        if "node" in parts:
            require(needs_of_node())
            install_node()


def say(text: str) -> None:
    """Tell what is being done."""
    print(f"bluetel: {text}", flush=True)


def stop(text: str) -> NoReturn:
    """End with one clear line."""
    sys.exit(f"bluetel: {text}")


# --- The machine's programs ---------------------------------------------------------------------


def needs_of_python() -> list[Need]:
    """What making an environment takes; Debian ships Python without it."""
    is_there = PYTHON.exists() or importlib.util.find_spec("ensurepip") is not None
    return [Need("python3-venv", is_there, "the environment")]


def needs_of_tests() -> list[Need]:
    """The real programs that tests drive."""
    return [
        Need("chromium", any(map(shutil.which, CHROMIUM)), "the browser tests"),
        Need("redis-server", has("redis-server"), "the tests on PostgreSQL and Redis"),
        Need(
            "postgresql",
            has("initdb") or any(POSTGRESQL.glob("*/bin/initdb")),
            "the tests on PostgreSQL and Redis",
        ),
        Need("slapd", has("slapd"), "the tests on OpenLDAP"),
        Need("ldap-utils", has("ldapmodify"), "the tests on OpenLDAP"),
        Need("prosody", has("prosody"), "the tests on Prosody"),
        Need("dovecot-imapd", has("dovecot"), "the tests on Dovecot"),
        Need("nodejs", has("node"), "the JavaScript tests"),
        Need("gettext", has("xgettext"), "the tests of the translations"),
    ]


def needs_of_bench() -> list[Need]:
    """The load client's compiler, and the peer in C."""
    return [
        Need("gcc", has("gcc"), "the load client of the bench fanout"),
        Need("libc6-dev", LIBC.exists(), "the load client of the bench fanout"),
        Need("nginx", has("nginx"), "the comparison with nchan"),
        Need("libnginx-mod-nchan", NCHAN.exists(), "the comparison with nchan"),
    ]


def needs_of_node() -> list[Need]:
    """What installs and runs the JavaScript tools."""
    return [
        Need("nodejs", has("node"), "the JavaScript checks"),
        Need("npm", has("npm"), "the JavaScript checks"),
    ]


def has(program: str) -> bool:
    """Whether the program is on the path, or where Debian keeps servers."""
    path = os.pathsep.join([*os.get_exec_path(), "/usr/sbin", "/sbin"])
    return shutil.which(program, path=path) is not None


def require(needs: list[Need]) -> None:
    """Install what is missing, or stop."""
    if missing := install_debian([need for need in needs if not need.is_there]):
        names = " ".join(need.package for need in missing)
        stop(f"missing: {names}. Install it, then try again:  sudo apt-get install {names}")


def wish(needs: list[Need]) -> None:
    """Install what is missing; without it some tests are skipped, which a CI run refuses."""
    for need in install_debian([need for need in needs if not need.is_there]):
        say(
            f"MISSING: {need.package}, so {need.purpose} will be SKIPPED "
            f"(sudo apt-get install {need.package})"
        )


def install_debian(missing: list[Need]) -> list[Need]:
    """Install packages through apt where that is possible; what it could not is returned."""
    if not missing or os.geteuid() != 0 or not has("apt-get"):
        return missing
    names = [need.package for need in missing]
    say(f"installing Debian packages: {' '.join(names)}")
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        [*apt, "update"],
        [*apt, "install", "--no-install-recommends", *names],
    ):
        answer = subprocess.run(
            command,
            check=False,
            env=quiet,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if answer.returncode != 0:
            print(answer.stdout[-2000:] + answer.stderr[-2000:], file=sys.stderr)
            return missing
    return []


# --- The Python environment ---------------------------------------------------------------------


def install_python(name: str) -> None:
    """Bring ``.venv`` up to ``requirements/<name>.txt``."""
    if is_made(name):
        return
    started = time.monotonic()
    make_venv()
    if not is_made("uv"):
        say("fetching uv, the installer")
        pip("uv")
        stamp("uv").write_text(fingerprint("uv"))
    say(f"installing the Python packages of requirements/{name}.txt (some 30 s the first time)")
    locked = REQUIREMENTS / f"{name}.txt"
    answer = subprocess.run(
        [
            *[str(PYTHON), "-m", "uv", "pip", "install", "--quiet", "--require-hashes"],
            # Compiled once and at once: every start is then a second or two quicker.
            *["--compile-bytecode", "--python", str(PYTHON), "-r", str(locked)],
        ],
        check=False,
    )
    if answer.returncode != 0:
        say("uv could not; trying pip, which also reads pip's own configuration")
        pip(name)
    stamp(name).write_text(fingerprint(name))
    say(f"the environment is ready after {time.monotonic() - started:.0f} s")


def make_venv() -> None:
    """Make ``.venv``, anew where its Python is gone, too old or the checkout has moved."""
    if PYTHON.exists():
        answer = subprocess.run(
            [PYTHON, "-c", "import sys, pip; print(sys.prefix, sys.version_info >= (3, 11))"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.stdout.strip() == f"{VENV} True" and not has_moved():
            return
        say(".venv/ can't be used as it is; making it anew")
        for entry in VENV.iterdir():
            if entry.name != ".prepare.lock":
                shutil.rmtree(
                    entry
                ) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    say(f"creating .venv/ with Python {platform.python_version()}")
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)


def has_moved() -> bool:
    """Whether the programs in ``.venv/bin`` name another folder's Python."""
    pip_program = VENV / "bin" / "pip"
    return pip_program.exists() and str(VENV) not in pip_program.read_text()[:300]


def pip(name: str) -> None:
    """Install a locked list with pip, or stop."""
    locked = REQUIREMENTS / f"{name}.txt"
    answer = subprocess.run(
        [
            *[str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"],
            *["--require-hashes", "-r", str(locked)],
        ],
        check=False,
    )
    if answer.returncode != 0:
        stop(f"could not install requirements/{name}.txt; the lines above say why")


def stamp(name: str) -> Path:
    """Where a part notes what it was made from."""
    return VENV / f".made-{name}"


def fingerprint(name: str) -> str:
    """What a part is made from: its locked list, in this folder."""
    made_from = (REQUIREMENTS / f"{name}.txt").read_bytes() + str(VENV).encode()
    return hashlib.sha256(made_from).hexdigest()


def is_made(name: str) -> bool:
    """Whether a part is there and up to date."""
    return PYTHON.exists() and stamp(name).exists() and stamp(name).read_text() == fingerprint(name)


# --- The JavaScript tools -----------------------------------------------------------------------


def install_node() -> None:
    """Bring ``node_modules`` up to ``package-lock.json``."""
    locked = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    made = ROOT / "node_modules" / ".made"
    if made.exists() and made.read_text() == locked:
        return
    say("installing the JavaScript tools of package-lock.json")
    answer = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if answer.returncode != 0:
        stop("npm could not install package-lock.json; the lines above say why")
    made.write_text(locked)


if __name__ == "__main__":
    main(sys.argv[1:])
