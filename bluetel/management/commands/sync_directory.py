"""``sync_directory``: read the company's AD or LDAP directory now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from bluetel.ldap.client import client_for, close_clients
from bluetel.management.database_command import DatabaseCommand
from contacts.ldap.keeping import error_text, read_directory

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(DatabaseCommand):
    """The engine does it by itself every few minutes; this is for whoever doesn't want to wait."""

    help = "Read what changed in the company's AD or LDAP directory since the last time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--whole``."""
        parser.add_argument(
            "--whole", action="store_true", help="compare everybody, and remove who is gone"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, and say how it went."""
        if settings.LDAP_CONFIG is None:
            raise CommandError("there is no directory: BLUETEL_LDAP_URL is not set")
        try:
            outcome = read_directory(
                client_for(settings.LDAP_CONFIG), now=timezone.now(), whole=options["whole"]
            )
        finally:
            close_clients()
        if outcome is None:
            raise CommandError("somebody is reading the directory just now")
        self.stdout.write(
            f"{outcome.read} read, {outcome.removed} removed, {outcome.people} people in the book"
        )
        if outcome.error:
            raise CommandError(error_text(outcome.error))
