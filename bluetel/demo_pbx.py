"""The simulated PBX of the demo, as a child process that never outlives this one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from typing import IO

from django.conf import settings
from django.core.management.base import CommandError

from bluetel.accounts.models import User
from bluetel.env import ROOT

READY_WITHIN = 20.0
SHOWN_ACCOUNTS = 3


class DemoPbx:
    """Starts the child at once, so that it gets ready beside what else there is to prepare.

    Its standard input is a pipe from here: the kernel closes that whatever ends this process, and
    the child ends with it.
    """

    def __init__(self) -> None:
        command = [sys.executable, str(ROOT / "manage.py"), "simulate_pbx", "--with-parent"]
        command += ["--dialect", settings.DEMO, "--host", "127.0.0.1", "--port", "0"]
        self._child = subprocess.Popen(  # noqa: S603 — our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        self._url = ""
        self._is_ready = threading.Event()
        threading.Thread(target=self._read, args=[self._child.stdout], daemon=True).start()

    def wait_until_ready(self) -> str:
        """The simulated PBX's address, once it listens."""
        if not self._is_ready.wait(READY_WITHIN) or not self._url:
            raise CommandError("the simulated PBX did not start; its own messages stand above")
        return self._url

    def accounts(self) -> str:
        """The demo's accounts, a line each."""
        people = User.objects.filter(username__startswith="demo").order_by("extension")
        shown = [
            f"  {person.username} / demo   {person.display_name}, extension {person.extension}"
            for person in people[:SHOWN_ACCOUNTS]
        ]
        more = people.count() - len(shown)
        more_line = f"  … and {more} more; all have the password demo"
        return "\n".join(
            [f"The simulated PBX is at {self._url}", "Demo accounts:", *shown, more_line]
        )

    def stop(self) -> None:
        """End the child; it has nothing to save."""
        self._child.kill()
        self._child.wait()

    def _read(self, output: IO[str] | None) -> None:
        """Take the address from what the child says; nothing it says later may block it."""
        for line in output or ():
            found = re.search(r"http://\S+?:\d+", line)
            if found and not self._url:
                self._url = found[0]
                self._is_ready.set()
        self._is_ready.set()
