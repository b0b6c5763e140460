"""``serve``: pages, live sockets and engine in one process, on SQLite unless told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command

from bluetel.management.web_command import WebCommand, refuse_taken_port

if TYPE_CHECKING:
    from bluetel.demo_pbx import DemoPbx


class Command(WebCommand):
    """Brings the database and the static files up to date, then serves until told to stop."""

    help = "Serve BlueTel: web and engine in one process (the embedded default)."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, serve, and end within two seconds."""
        from bluetel.accounts.demo_accounts import tell_of_closed
        from bluetel.accounts.pbx import read_secrets
        from bluetel.demo_pbx import DemoPbx
        from bluetel.static import collect_if_changed

        host, port = options["host"], options["port"]
        refuse_taken_port(host, port)
        demo = DemoPbx() if settings.DEMO else None
        try:
            call_command("migrate", verbosity=0, interactive=False)
            tell_of_closed()
            read_secrets()
            collect_if_changed()
            if demo is not None:
                url = demo.wait_until_ready()
                call_command("seed_demo", pbx_url=url)
            self._serve(host, port, demo)
        finally:
            if demo is not None:
                demo.stop()
        self.end()

    def _serve(self, host: str, port: int, demo: DemoPbx | None) -> None:
        from bluetel.embedded import EmbeddedEngine

        engine = EmbeddedEngine()
        accounts = demo.accounts() if demo is not None else ""

        self.serve(host, port, ready=engine.start, stop=engine.stop, more=accounts)
