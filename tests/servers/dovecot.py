"""Dovecot: real IMAP, plain with STARTTLS on one port and TLS on another.

Every user exists and signs in with ``secret``; his mails are in a Maildir of his own.
"""

from __future__ import annotations

import contextlib
import imaplib
import os
import pwd
import shutil
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from tests.servers.base import UNPRIVILEGED, Server, as_unprivileged, free_port, is_open, until
from tests.servers.certificates import Authority

PASSWORD = "secret"


class Dovecot(Server):
    """One IMAP server; ``kill`` and ``revive`` are for its bad days."""

    name = "dovecot"
    package = "dovecot-imapd"
    extra: ClassVar[str] = ""
    """More lines of its configuration."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self.tls_port = free_port()
        self._revived: subprocess.Popen[bytes] | None = None

    @classmethod
    def find(cls) -> Path | None:
        """Debian has it in sbin, which not every PATH has."""
        found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        return Path(found) if found else None

    def more(self) -> str:
        """The same where they depend on the folder."""
        return self.extra

    def set_up(self) -> None:
        """Write certificate and configuration."""
        authority = Authority("BlueTel tests")
        certificate, key = authority.issue("localhost", "127.0.0.1")
        (self.folder / "ca.pem").write_bytes(authority.certificate)
        (self.folder / "cert.pem").write_bytes(certificate)
        (self.folder / "key.pem").write_bytes(key)
        user = UNPRIVILEGED if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        entry = pwd.getpwnam(user)
        import grp  # noqa: PLC0415 — only where users have groups

        group = grp.getgrgid(entry.pw_gid).gr_name
        folder = self.folder
        (folder / "dovecot.conf").write_text(
            f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{folder}/mail/%n
mail_max_userip_connections = 50
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/people/%n allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
{self.more()}
namespace inbox {{
  inbox = yes
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
}}
""",
            encoding="utf-8",
        )
        if os.geteuid() == 0:
            for path in folder.iterdir():
                shutil.chown(path, UNPRIVILEGED)

    def command(self) -> Sequence[str]:
        """In the foreground."""
        return [str(self.program()), "-F", "-c", str(self.folder / "dovecot.conf")]

    def answers(self) -> bool:
        """Whether somebody can sign in."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self.session("nobody").logout()
            return True
        return False

    @property
    def url(self) -> str:
        """Its plain port."""
        return f"imap://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        """What signed its certificate."""
        return str(self.folder / "ca.pem")

    def environment(self) -> Mapping[str, str]:
        """Loopback may be asked, and its certificate is known."""
        return {"BLUETEL_FETCH_ALLOW": "127.0.0.0/8", "BLUETEL_CA_FILE": self.ca_file}

    # --- As another of the user's programs --------------------------------------------------

    def session(self, user: str) -> imaplib.IMAP4_SSL:
        """A mail program of ``user``'s with his inbox open."""
        context = ssl.create_default_context(cafile=self.ca_file)
        session = imaplib.IMAP4_SSL("127.0.0.1", self.tls_port, ssl_context=context, timeout=20)
        session.login(user, PASSWORD)
        session.select("INBOX")
        return session

    def deliver(self, user: str, mail: bytes, *, flags: str = "") -> None:
        """Put a mail into somebody's inbox."""
        session = self.session(user)
        answer, _ = session.append("INBOX", flags, datetime.now(UTC), mail)
        session.logout()
        assert answer == "OK"

    def is_seen(self, user: str, uid: int) -> bool:
        """Whether that mail is read."""
        session = self.session(user)
        _, data = session.uid("FETCH", str(uid), "(FLAGS)")
        session.logout()
        return "\\Seen" in str(data)

    def mark(self, user: str, uid: int, *, seen: bool) -> None:
        """Read a mail, or make it new again."""
        session = self.session(user)
        session.uid("STORE", str(uid), "+FLAGS" if seen else "-FLAGS", "(\\Seen)")
        session.logout()

    def count(self, user: str, folder: str = "INBOX") -> int:
        """How many mails lie there."""
        session = self.session(user)
        _, data = session.select(folder)
        session.logout()
        return int(data[0] or 0)

    # --- Bad days ---------------------------------------------------------------------------

    def kill(self) -> None:
        """End every process of it without a word."""
        master = int((self.folder / "run" / "master.pid").read_text())
        with contextlib.suppress(ProcessLookupError):
            os.killpg(master, 9) if os.getpgid(master) == master else os.kill(master, 9)
        for child in _children_of(str(self.folder)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 9)
        until(lambda: not is_open(self.port))

    def revive(self) -> None:
        """Start it again, on the same ports with the same mails."""
        (self.folder / "run" / "master.pid").unlink(missing_ok=True)
        self._revived = subprocess.Popen(
            [*as_unprivileged(), *self.command()],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.answers)

    def end_revived(self) -> None:
        """End what ``revive`` started."""
        if self._revived is not None:
            self._revived.terminate()
            self._revived.wait(10)
            self._revived = None


def _children_of(folder: str) -> list[int]:
    """The processes of the server in that folder: their working directory is below it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                name = (entry / "comm").read_text().strip()
                where = str((entry / "cwd").readlink())
                if where.startswith(folder) and name in {"dovecot", "anvil", "log", "config"} | {
                    "imap-login",
                    "imap",
                    "auth",
                    "stats",
                }:
                    found.append(int(entry.name))
    return found


SERVER = Dovecot
