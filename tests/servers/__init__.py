"""Real servers for tests, each on a free loopback port with its data in a temporary folder.

One module per server, named as one asks for it, with one class :class:`~tests.servers.base.Server`
in its ``SERVER``. To add one: write ``tests/servers/slapd.py`` with ``SERVER = Slapd`` and name its
Debian package in ``scripts/prepare.py``. Tests ask for it by the ``server`` fixture::

    def test_people_are_found(server: ServerOf) -> None:
        url = server("slapd").url

From a shell, ``python -m tests.servers postgresql redis -- COMMAND …`` runs a command with their
addresses in its environment.
"""

from tests.servers.base import Missing, Server
from tests.servers.registry import ServerOf, running, server_class

__all__ = ["Missing", "Server", "ServerOf", "running", "server_class"]
