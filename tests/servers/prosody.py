"""Prosody, an XMPP server with accounts of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.base import UNPRIVILEGED, Server, is_open

DOMAIN = "bluetel.test"
PASSWORD = "secret"

CONFIGURATION = """
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ warn = "*console" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
modules_enabled = {{ "roster", "saslauth", "disco", "presence", "ping" }}
modules_disabled = {{ "s2s", "tls" }}
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
VirtualHost "{domain}"
"""


class Prosody(Server):
    """A Prosody for ``bluetel.test``: anybody's account is made by :meth:`add`."""

    name = "prosody"
    package = "prosody"

    @classmethod
    def find(cls) -> Path | None:
        """``prosody``."""
        found = shutil.which("prosody")
        return Path(found) if found else None

    def command(self) -> Sequence[str]:
        """In the foreground, on loopback only."""
        return [str(self.program()), "--config", str(self.folder / "prosody.cfg.lua")]

    def set_up(self) -> None:
        """Write the configuration and the reading account."""
        text = CONFIGURATION.format(folder=self.folder, port=self.port, domain=DOMAIN)
        (self.folder / "prosody.cfg.lua").write_text(text, encoding="utf-8")
        self.add("reader")

    def answers(self) -> bool:
        """Whether it takes connections."""
        return is_open(self.port)

    def add(self, name: str) -> str:
        """Make an account; gives its JID."""
        accounts = self.folder / "data" / DOMAIN.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        text = f'return {{ ["password"] = "{PASSWORD}"; }};'
        (accounts / f"{name}.dat").write_text(text, encoding="utf-8")
        if os.geteuid() == 0:
            for path in (self.folder / "data").rglob("*"):
                shutil.chown(path, UNPRIVILEGED)
            shutil.chown(self.folder / "data", UNPRIVILEGED)
        return f"{name}@{DOMAIN}"

    @property
    def url(self) -> str:
        """``BLUETEL_XMPP_URL`` with the account ``reader``."""
        return f"xmpp://reader%40{DOMAIN}:{PASSWORD}@127.0.0.1:{self.port}"

    def environment(self) -> Mapping[str, str]:
        """``BLUETEL_XMPP_URL``."""
        return {"BLUETEL_XMPP_URL": self.url}


SERVER = Prosody
