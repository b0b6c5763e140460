"""Take the documentation's pictures from the demo: ``scripts/screenshots.py [NAME …]``.

Starts the demo on a free port with a data directory of its own, moves the simulated handsets into a
busy moment, and writes ``docs/screenshots/NAME.png``.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--hide-scrollbars"]
# Who dials whom, and who picks up: a moment of an ordinary morning.
DIALS = [("1002", "1005"), ("1006", "1003"), ("1001", "1007")]
ANSWERS = ["1005", "1007"]


def main(names: list[str]) -> None:
    """Take the named pictures, or all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with demo() as (url, pbx_url), sync_playwright() as playwright:
        busy_moment(pbx_url)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        sign_in(page, url)
        for name in names or list(PICTURES):
            PICTURES[name](page, url)
            path = FOLDER / f"{name}.png"
            page.screenshot(path=path)
            print(path.relative_to(ROOT))
        browser.close()


def home(page: Page, url: str) -> None:
    """The home page in a call, with the team around it."""
    page.set_viewport_size({"width": 1280, "height": 600})
    page.goto(url)
    page.locator("[data-phone=ringing]").first.wait_for()
    page.wait_for_timeout(5_500)  # ringing blinks for 5 s, then stays; the picture shows it staying


def phones(page: Page, url: str) -> None:
    """The simulated handsets."""
    page.set_viewport_size({"width": 1280, "height": 740})
    page.goto(f"{url}/demo/phones/")
    page.get_by_role("group", name="1001").wait_for()


PICTURES: dict[str, Callable[[Page, str], None]] = {
    "home": home,
    "phones": phones,
}


def sign_in(page: Page, url: str) -> None:
    """Sign in as the demo's first user."""
    page.goto(f"{url}/accounts/login/")
    page.locator("[name=username]").fill("demo1")
    page.locator("[name=password]").fill("demo")
    page.locator("[name=password]").press("Enter")
    page.get_by_role("button", name="Dialer").wait_for()


def busy_moment(pbx_url: str) -> None:
    """Let some of the cast talk and ring."""

    def press(extension: str, action: str, **body: str) -> None:
        request = urllib.request.Request(  # noqa: S310 — the demo's own PBX on loopback
            f"{pbx_url}/_simulator/phones/{extension}/{action}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 — as above

    press("1004", "dnd_on")
    for caller, callee in DIALS:
        press(caller, "dial", number=callee)
    for callee in ANSWERS:
        press(callee, "answer")


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """A running demo: its address and its simulated PBX's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bluetel-screenshots-") as data_dir:
        environ = {
            **os.environ,
            "BLUETEL_DEMO": "wazo",
            "BLUETEL_PORT": str(port),
            "BLUETEL_DATA_DIR": data_dir,
        }
        url = f"http://127.0.0.1:{port}"
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            wait_for_line(process, url)
            yield url, pbx_address(environ)
        finally:
            process.terminate()
            process.wait(20)


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    """Wait until the demo prints ``text``; read on in the background, or it would fill up."""
    lines: list[str] = []
    assert process.stdout is not None  # noqa: S101 — PIPE was asked for
    for line in process.stdout:
        lines.append(line)
        if text in line:
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return
    sys.exit("bluetel: the demo did not start:\n" + "".join(lines))


def pbx_address(environ: dict[str, str]) -> str:
    """Where the demo's simulated PBX listens, as the database knows it."""
    asked = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", "print(Pbx.objects.get().url)"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
