"""``run_web``: pages and live sockets alone; any number of it beside an engine."""

from __future__ import annotations

from typing import Any

from bluetel.management.scaled_out import check_can_run_beside_others
from bluetel.management.web_command import WebCommand, refuse_taken_port


class Command(WebCommand):
    """Serves until told to stop, after ``migrate`` and ``collectstatic``."""

    help = "Serve pages and live sockets alone; an engine (run_engine) does the rest."

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, and end within two seconds."""
        from presence import feed

        host, port = options["host"], options["port"]
        check_can_run_beside_others(without_redis="these pages would hear no engine")
        refuse_taken_port(host, port)
        self.serve(host, port, stop=feed.stop)
        self.end()
