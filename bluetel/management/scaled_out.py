"""What a process needs that runs beside others, whether it serves pages or is the engine."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import CommandError

from bluetel.accounts.demo_accounts import tell_of_closed
from bluetel.accounts.pbx import read_secrets


def check_can_run_beside_others(*, without_redis: str) -> None:
    """End the command unless others can be heard and the PBXs' secrets read.

    ``without_redis`` says what would go wrong there.
    """
    if not settings.REDIS_URL:
        raise CommandError(
            f"REDIS_URL is not set, so {without_redis}: "
            "set it, or run `serve`, which has both in one process"
        )
    tell_of_closed()
    read_secrets()
