"""Voice messages in a browser, in French, and long ones without one."""

from __future__ import annotations

import re
import socket
import threading
import time
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from tests.e2e.conftest import Running, SignIn, handset, wait_for

pytestmark = pytest.mark.wazo  # a XiVO's messages come by mail (docs/pbx-backends.md)

TWO_HOURS = 7200
BYTES = 44 + TWO_HOURS * 16_000
ROOM = 80 * 1024 * 1024
"""What the process may grow by while recordings of 115 MB pass through it."""


def leave(bluetel: Running, number: str, *, to: str, name: str = "", duration: int = 5) -> None:
    """Let somebody outside leave a message."""
    body = {"from": number, "name": name, "to": to, "duration": duration}
    answer = requests.post(f"{bluetel.pbx_url}/_simulator/messages", json=body, timeout=20)
    answer.raise_for_status()


def test_a_message_arrives_live_plays_and_is_called_back(sign_in: SignIn, bluetel: Running) -> None:
    page = sign_in("demo2", locale="fr-FR")
    page.goto("/voicemail/")
    expect(page.get_by_role("heading", name="Répondeur")).to_be_visible()
    expect(page.get_by_text("Aucun message vocal")).to_be_visible()
    page.evaluate("document.body.dataset.kept = 'yes'")

    leave(bluetel, "0199004217", to="1002", name="Hélène Marchetti")

    badge = page.get_by_role("link", name=re.compile("Répondeur")).first
    expect(badge).to_have_accessible_name(re.compile("1 nouveau message"))
    row = page.get_by_role("listitem").filter(has_text="Hélène Marchetti")
    expect(row).to_be_visible()
    expect(row.get_by_text("Nouveau")).to_be_visible()
    assert page.evaluate("document.body.dataset.kept") == "yes"  # nothing was loaded anew

    page.get_by_role("button", name="Lire").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_text(re.compile("0:0[1-5] sur 0:05"))).to_be_visible()
    expect(badge).not_to_have_accessible_name(re.compile("nouveau"))
    slider = page.get_by_role("slider", name="Position")
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_text("0:05 sur 0:05")).to_be_visible()
    page.get_by_role("button", name="Vitesse : 1 fois").click()
    expect(page.get_by_role("button", name="Vitesse : 1,25 fois")).to_be_visible()

    page.get_by_role("button", name="Rappeler 01 99 00 42 17").last.click()
    expect(page.get_by_text("Votre téléphone sonne")).to_be_visible()
    wait_for(
        lambda: bluetel.phones()["1002"]["state"] == "ringing",
        what="the own phone's ringing",
        running=bluetel,
    )
    phones = page.context.new_page()
    phones.goto("/demo/phones/")
    handset(phones, "1002").get_by_role("button", name="Décrocher").click()
    expect(handset(phones, "0199004217")).to_be_visible()


def test_a_deleted_message_comes_back_by_undo(sign_in: SignIn, bluetel: Running) -> None:
    leave(bluetel, "0353017720", to="1003")
    page = sign_in("demo3", javascript=False)
    page.goto("/voicemail/")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Message deleted.")).to_be_visible()
    expect(page.get_by_text("03 53 01 77 20")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Call 03 53 01 77 20 back").first).to_be_visible()


def test_a_deletion_reaches_the_pbx_within_fifteen_seconds(bluetel: Running) -> None:
    leave(bluetel, "0353017721", to="1005")
    session = signed_in(bluetel, "demo5")
    messages = session.get(f"{bluetel.url}/api/v1/voicemail", timeout=30).json()["messages"]
    message = next(one for one in messages if one["number"] == "0353017721")
    headers = {"X-CSRFToken": session.cookies["csrftoken"], "Referer": bluetel.url}
    url = f"{bluetel.url}/api/v1/voicemail/{message['id']}"
    began = time.monotonic()
    assert session.delete(url, headers=headers, timeout=10).status_code == 204

    def is_gone() -> bool:
        log = requests.get(f"{bluetel.pbx_url}/_simulator/log", timeout=5).json()
        return any(write["after"] == "deleted" for write in log["writes"])

    wait_for(is_gone, what="the deletion on the PBX", running=bluetel)
    assert time.monotonic() - began < 15


# --- Long ones ----------------------------------------------------------------------------------


class Meter:
    """Watches how much memory a process takes at most."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.before = self._now()
        self.most = self.before
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _now(self) -> int:
        found = re.search(r"RssAnon:\s*(\d+) kB", self._status.read_text())
        assert found is not None
        return int(found[1]) * 1024

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            self.most = max(self.most, self._now())

    def growth(self) -> int:
        """By how much it grew at most since the beginning."""
        self._end.set()
        self._thread.join()
        return self.most - self.before


def signed_in(bluetel: Running, username: str) -> requests.Session:
    """A program with a browser's session."""
    session = requests.Session()
    login = f"{bluetel.url}/accounts/login/"
    session.get(login, timeout=20)
    form = {
        "username": username,
        "password": "demo",
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
    }
    session.post(login, data=form, timeout=30)
    return session


@pytest.fixture(scope="module")
def long_message(bluetel: Running) -> tuple[requests.Session, str]:
    """A message of two hours, which has been heard once."""
    leave(bluetel, "0199004217", to="1004", duration=TWO_HOURS)
    session = signed_in(bluetel, "demo4")
    (message,) = session.get(f"{bluetel.url}/api/v1/voicemail", timeout=30).json()["messages"]
    url = f"{bluetel.url}/api/v1/voicemail/{message['id']}/audio"
    head = session.head(url, timeout=120)
    assert head.headers["Content-Length"] == str(BYTES)
    return session, url


@pytest.mark.timeout(180)
def test_two_hours_play_in_parts_and_at_once_in_flat_memory(
    bluetel: Running, long_message: tuple[requests.Session, str]
) -> None:
    session, url = long_message
    meter = Meter(bluetel.process.pid)
    read: list[int] = []

    def whole() -> None:
        with session.get(url, stream=True, timeout=120) as answer:
            read.append(sum(map(len, answer.iter_content(65_536))))

    threads = [threading.Thread(target=whole) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [BYTES] * 3
    part = session.get(url, headers={"Range": f"bytes={BYTES - 1000}-"}, timeout=30)
    assert (part.status_code, len(part.content)) == (206, 1000)
    opened = session.get(url, headers={"Range": "bytes=0-"}, timeout=30)
    assert opened.status_code == 206
    assert len(opened.content) <= 4 * 1024 * 1024
    assert meter.growth() < ROOM


@pytest.mark.timeout(120)
def test_a_browser_that_does_not_read_costs_no_memory(
    bluetel: Running, long_message: tuple[requests.Session, str]
) -> None:
    session, url = long_message
    host, _, port = bluetel.url.removeprefix("http://").partition(":")
    cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    request = f"GET {url.removeprefix(bluetel.url)} HTTP/1.1\r\nHost: {host}:{port}\r\n"
    meter = Meter(bluetel.process.pid)
    idle = [socket.create_connection((host, int(port))) for _ in range(4)]
    for one in idle:
        one.sendall(f"{request}Cookie: {cookie}\r\n\r\n".encode())
    for one in idle:
        one.settimeout(20)
        assert one.recv(12) == b"HTTP/1.1 200"
    # Meanwhile others are served, long enough for 400 MB to have been buffered.
    for _ in range(20):
        session.get(url, headers={"Range": "bytes=0-"}, timeout=30)
    for one in idle:
        one.close()
    assert meter.growth() < ROOM
