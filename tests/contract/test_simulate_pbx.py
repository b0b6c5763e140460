"""The ``simulate_pbx`` command as a process: what it prints, and how it stops."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from bluetel.management.commands import simulate_pbx

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def _simulator(
    *options: str, stdin: int | None = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "manage.py", "simulate_pbx", *options],
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    """The address in the one line it prints once it listens."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://[0-9.:]+[0-9]", line)
    assert found, line
    return found.group()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "99999"),
        ("--port", "-1"),
        ("--port", "http"),
        ("--users", "-3"),
        ("--users", "0"),
        ("--users", "many"),
        ("--outside-answers-after", "soon"),
        ("--outside-answers-after", "-1"),
        ("--outside-answers-after", "nan"),
    ],
)
def test_a_number_that_can_not_be_meant_is_refused_as_any_wrong_argument(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        simulate_pbx.Command().run_from_argv(["manage.py", "simulate_pbx", f"{option}={value}"])
    assert caught.value.code == 2
    assert f"error: argument {option}: " in capsys.readouterr().err


def test_it_says_where_it_listens_and_who_may_sign_in() -> None:
    options = ("--dialect", "wazo", "--host", "127.0.0.1", "--port", "0", "--users", "12")
    with _simulator(*options, "--username", "other", "--password", "secret") as process:
        url = _address(process)
        token = requests.post(
            f"{url}/api/auth/0.1/token", auth=("other", "secret"), json={}, timeout=10
        ).json()["data"]["token"]
        users = requests.get(
            f"{url}/api/confd/1.1/users",
            params={"limit": 1},
            headers={"X-Auth-Token": token},
            timeout=10,
        )

        assert users.json()["total"] == 12


def test_it_stops_at_once_when_told_to() -> None:
    with _simulator("--port", "0") as process:
        url = _address(process)
        with requests.Session() as session:
            session.get(f"{url}/_simulator/phones", timeout=10)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) in (0, -signal.SIGTERM)


def test_it_stops_with_its_parent() -> None:
    with _simulator("--port", "0", "--with-parent", stdin=subprocess.PIPE) as process:
        _address(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=5) == 0


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with _simulator("--port", port) as process:
            _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert f"can't listen on 127.0.0.1:{port}" in errors


@pytest.mark.parametrize(
    ("after", "state"), [("0", "talking"), ("never", "calling")], ids=["at-once", "never"]
)
def test_outside_numbers_answer_when_they_are_told_to(after: str, state: str) -> None:
    with _simulator("--port", "0", "--outside-answers-after", after) as process:
        url = _address(process)
        body = {"number": "0199004217"}
        requests.post(f"{url}/_simulator/phones/1001/dial", json=body, timeout=10)
        phones = requests.get(f"{url}/_simulator/phones", timeout=10).json()["phones"]

        assert phones[0]["state"] == state


def test_it_speaks_xivo_as_well() -> None:
    with _simulator("--dialect", "xivo", "--port", "0", "--users", "12") as process:
        url = _address(process)
        login = {"login": "demo12", "password": "demo"}
        answer = requests.post(f"{url}/xuc/api/2.0/auth/login", json=login, timeout=10)

    assert answer.json()["login"] == "demo12"
    assert answer.json()["token"]
