"""Radicale: CalDAV and CardDAV, with users whose password is ``word-`` and their name."""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar
from xml.sax.saxutils import escape

import requests

from tests.servers.base import Server

USERS = ("camille", "nadia", "ines")
_BODIES = {
    "addressbook": (
        '<create xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop>'
        "<resourcetype><collection/><C:addressbook/></resourcetype>"
        "<displayname>{name}</displayname></prop></set></create>"
    ),
    "calendar": (
        '<create xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>'
        "<resourcetype><collection/><C:calendar/></resourcetype>"
        "<displayname>{name}</displayname></prop></set></create>"
    ),
}


class Radicale(Server):
    """Each user owns the collections below ``/NAME/``."""

    name = "radicale"
    package = "radicale"
    is_of_environment: ClassVar[bool] = True

    @classmethod
    def find(cls) -> Path | None:
        """The one among the tests' Python packages."""
        found = Path(sys.executable).with_name("radicale")
        return found if found.exists() else None

    def set_up(self) -> None:
        """Write users and configuration."""
        users = "".join(f"{user}:{password_of(user)}\n" for user in USERS)
        (self.folder / "users").write_text(users, encoding="utf-8")
        (self.folder / "config").write_text(
            "\n".join(
                [
                    "[server]",
                    f"hosts = 127.0.0.1:{self.port}",
                    "[auth]",
                    "type = htpasswd",
                    f"htpasswd_filename = {self.folder}/users",
                    "htpasswd_encryption = plain",
                    "delay = 0",
                    "[rights]",
                    "type = owner_only",
                    "[storage]",
                    f"filesystem_folder = {self.folder}/collections",
                    "[web]",
                    "type = none",
                    "[logging]",
                    "level = warning",
                    "",
                ]
            ),
            encoding="utf-8",
        )

    def command(self) -> Sequence[str]:
        """In the foreground, on loopback."""
        return [str(self.program()), "--config", str(self.folder / "config")]

    def answers(self) -> bool:
        """Whether it says who we are not."""
        with contextlib.suppress(requests.RequestException):
            return requests.get(self.url, timeout=1, allow_redirects=False).status_code < 500
        return False

    @property
    def url(self) -> str:
        """Its root; the well-known addresses lead on from there."""
        return f"http://127.0.0.1:{self.port}/"

    def environment(self) -> Mapping[str, str]:
        """Loopback may be asked."""
        return {"BLUETEL_FETCH_ALLOW": "127.0.0.0/8"}

    # --- As another of the user's programs --------------------------------------------------

    def collection(self, user: str, kind: str = "addressbook", name: str = "") -> str:
        """A new collection of ``user``; its address."""
        path = uuid.uuid4().hex
        url = f"{self.url}{user}/{path}/"
        body = _BODIES[kind].format(name=escape(name or path))
        self._ask(user, "MKCOL", url, body.encode())
        return url

    def put(self, user: str, url: str, text: str) -> str:
        """Write a card or an event; its new entity tag."""
        kind = "text/calendar" if "BEGIN:VCALENDAR" in text else "text/vcard"
        answer = self._ask(user, "PUT", url, text.encode(), content_type=kind)
        return answer.headers["ETag"]

    def upload(self, user: str, url: str, text: str) -> None:
        """Make a collection of a file with many cards or events, at once."""
        kind = "text/calendar" if "BEGIN:VCALENDAR" in text else "text/vcard"
        self._ask(user, "PUT", url, text.encode(), content_type=kind)

    def read(self, user: str, url: str) -> str:
        """What is there."""
        return self._ask(user, "GET", url, None).text

    def members(self, user: str, url: str) -> list[str]:
        """The addresses of what a collection holds."""
        body = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        answer = self._ask(user, "PROPFIND", url, body, depth="1")
        hrefs = [part.split("</")[0] for part in answer.text.split("href>")[1::2]]
        root = self.url.rstrip("/")
        return sorted(root + href for href in hrefs if not href.endswith("/"))

    def delete(self, user: str, url: str) -> None:
        """Remove a card, an event, or a whole collection."""
        self._ask(user, "DELETE", url, None)

    def _ask(
        self,
        user: str,
        method: str,
        url: str,
        body: bytes | None,
        *,
        content_type: str = "application/xml",
        depth: str = "0",
    ) -> requests.Response:
        answer = requests.request(
            method,
            url,
            data=body,
            headers={"Content-Type": f"{content_type}; charset=utf-8", "Depth": depth},
            auth=(user, password_of(user)),
            timeout=60,
        )
        if not answer.ok:
            raise AssertionError(f"{method} {url}: {answer.status_code} {answer.text[:500]}")
        return answer


def password_of(user: str) -> str:
    """What ``user`` signs in with."""
    return f"word-{user}"


SERVER = Radicale
