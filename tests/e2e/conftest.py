"""A whole BlueTel as ``make run`` starts it, and browsers in front of it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import requests
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    WebSocket,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WITHIN_A_SECOND = 1_000
CALLERS = ("demo1", "demo2", "demo3")
NO_FAULTS: dict[str, object] = {
    "refuse_logins": False,
    "silence_stream": False,
    "slow": 0,
    "hang": False,
    "lose_answers": False,
    "unavailable": [],
    "duplicate_events": False,
    "reorder_events": False,
    "withhold": [],
}

expect.set_options(timeout=8_000)


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Running:
    """A BlueTel that serves the demo, and its simulated PBX."""

    url: str
    pbx_url: str
    data_dir: Path
    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)
    reader: threading.Thread = field(default_factory=threading.Thread)
    sessions: dict[str, requests.Session] = field(default_factory=dict)

    def session(self, username: str) -> requests.Session:
        """Somebody's signed-in session, for the API and for pages without a browser."""
        if username not in self.sessions:
            session = self.sessions[username] = requests.Session()
            page = f"{self.url}/accounts/login/"
            session.get(page, timeout=10).raise_for_status()
            form = {
                "username": username,
                "password": "demo",
                "csrfmiddlewaretoken": session.cookies["csrftoken"],
            }
            answer = session.post(page, form, headers={"Referer": page}, timeout=10)
            assert answer.url == f"{self.url}/", answer.text
            session.headers["Referer"] = f"{self.url}/"
            session.headers["X-CSRFToken"] = session.cookies["csrftoken"]
        return self.sessions[username]

    def phones(self) -> dict[str, dict[str, object]]:
        """The simulated handsets by extension."""
        answer = requests.get(f"{self.pbx_url}/_simulator/phones", timeout=5)
        return {phone["extension"]: phone for phone in answer.json()["phones"]}

    def phone(self, extension: str, action: str, **body: object) -> None:
        """Do something with a handset."""
        url = f"{self.pbx_url}/_simulator/phones/{extension}/{action}"
        requests.post(url, json=body, timeout=5).raise_for_status()

    def fault(self, **faults: object) -> None:
        """Have the PBX misbehave."""
        requests.post(f"{self.pbx_url}/_simulator/faults", json=faults, timeout=5)

    def incoming(self, number: str, *, name: str, to: str) -> None:
        """Let somebody outside call."""
        body = {"from": number, "name": name, "to": to}
        requests.post(f"{self.pbx_url}/_simulator/calls", json=body, timeout=5).raise_for_status()

    def quiet(self) -> None:
        """End all calls and mend everything, as after a good night.

        BlueTel hears of it by the PBX's events: until it has, a test that calls the same number
        would be given the last test's call.
        """
        self.fault(**NO_FAULTS)
        callers = set(CALLERS)
        for extension, phone in self.phones().items():
            if phone["state"] != "idle":
                requests.post(f"{self.pbx_url}/_simulator/phones/{extension}/hang_up", timeout=5)
                if not phone["outside"]:
                    callers.add(f"demo{int(extension) - 1000}")
        for caller in sorted(callers):
            wait_for(partial(self._has_no_call, caller), what="an end of the calls", running=self)

    def _has_no_call(self, username: str) -> bool:
        session, url = self.session(username), f"{self.url}/api/v1/calls"
        calls = session.get(url, timeout=10).json()["calls"]
        for call in calls:
            session.delete(f"{url}/{call['id']}", timeout=10)
        return not calls


def start(data_dir: Path, *, port: int | None = None, **environ: str) -> Running:
    """Start the server the demo runs on and wait for its sign-in page."""
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if name != "DJANGO_SETTINGS_MODULE"
            },
            "BLUETEL_DEMO": os.environ.get("PBX", "wazo"),
            "BLUETEL_PORT": str(port),
            "BLUETEL_DATA_DIR": str(data_dir),
            **environ,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Running(f"http://127.0.0.1:{port}", "", data_dir, process)
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                running.output.append(line)
                found = re.search(r"simulated PBX\D*(http://127\.0\.0\.1:\d+)", line)
                if found:
                    running.pbx_url = found[1]
                if running.pbx_url and "Demo accounts" in line:
                    ready.set()
        ready.set()

    running.reader = threading.Thread(target=read, daemon=True)
    running.reader.start()
    assert ready.wait(90), "".join(running.output)
    assert process.poll() is None, "".join(running.output)
    wait_for(lambda: _answers(running.url), what="the sign-in page", running=running)
    return running


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/accounts/login/", timeout=2) as answer:  # noqa: S310 — loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for(condition: Callable[[], bool], *, what: str, running: Running) -> None:
    """Wait up to 30 s for ``condition``."""
    pause = threading.Event()
    for _ in range(300):
        if condition():
            return
        pause.wait(0.1)
    pytest.fail(f"{what} did not come:\n{''.join(running.output[-40:])}")


def stop(running: Running) -> None:
    """End the server as ctrl-C does."""
    running.process.terminate()
    running.process.wait(10)
    running.reader.join(10)


@pytest.fixture(scope="session")
def bluetel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The server all browser tests share."""
    running = start(tmp_path_factory.mktemp("bluetel"))
    yield running
    stop(running)


@pytest.fixture(autouse=True)
def quiet_phones(bluetel: Running) -> Iterator[None]:
    """Each test leaves the phones on their hooks."""
    bluetel.quiet()
    yield
    bluetel.quiet()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(browser: Browser, bluetel: Running) -> Iterator[SignIn]:
    """Opens a browser of its own where somebody is signed in, or signs in by the form."""
    contexts: list[BrowserContext] = []
    failures: list[str] = []

    def open_for(
        username: str,
        *,
        width: int = 1280,
        height: int = 900,
        locale: str = "en-GB",
        javascript: bool = True,
        dark: bool = False,
        reduced_motion: bool = False,
        bypass_csp: bool = False,
        by_form: bool = False,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=locale,
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
            bypass_csp=bypass_csp,
            base_url=bluetel.url,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on(
            "console",
            lambda message: (
                failures.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        enter: Callable[[], object]
        if by_form:
            page.goto("/accounts/login/")
            page.locator("input[name=username]").fill(username)
            page.locator("input[name=password]").fill("demo")
            enter = partial(page.locator("input[name=password]").press, "Enter")
        else:
            session = bluetel.session(username).cookies["bluetel"]
            context.add_cookies([{"name": "bluetel", "value": session, "url": bluetel.url}])
            enter = partial(page.goto, "/")
        with live(page) if javascript else nullcontext():
            enter()
        expect(page).to_have_url(f"{bluetel.url}/")
        return page

    yield open_for
    for context in contexts:
        context.close()
    assert failures == []


@contextmanager
def live(page: Page) -> Iterator[None]:
    """Load a page within; leaves when its scripts run and the live socket has told it all."""
    frames: list[str | bytes] = []

    def listen(opened: WebSocket) -> None:
        opened.on("framereceived", lambda frame: frames.append(frame))  # noqa: PLW0108 — playwright marks its handlers, which a builtin won't have

    page.on("websocket", listen)
    yield
    page.locator("dialer-box:defined").wait_for(state="attached")
    for _ in range(400):
        if any("presence.snapshot" in str(frame) for frame in frames):
            break
        page.wait_for_timeout(20)
    else:
        pytest.fail("the live socket told nothing")
    page.remove_listener("websocket", listen)


def open_dialer(page: Page) -> None:
    """Click on its button; the field has the focus then."""
    page.get_by_role("button", name=re.compile("^Dialer")).click()
    expect(page.get_by_role("combobox", name="Name or number")).to_be_focused()


def handset(page: Page, extension: str) -> Locator:
    """A phone on the demo page."""
    return page.get_by_role("group", name=re.compile(rf"^{extension}\b"))


def colleague(page: Page, name: str) -> Locator:
    """Somebody's row in the team list."""
    return page.locator("team-list").get_by_role("listitem").filter(has_text=name)
