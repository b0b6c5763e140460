"""``sync_users NAME``: the people of a PBX become BlueTel users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from bluetel.accounts.pbx import backend_for, close_backends
from bluetel.accounts.services import sync_users
from bluetel.management.pbx_argument import pbx_named
from bluetel.telephony.errors import TelephonyError

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Bring everybody in, matched by PBX id, then by e-mail; run it as often as you like."""

    help = "Make the people of a PBX BlueTel users, matched by PBX id, then by e-mail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the PBX's name."""
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read all people first, so that a PBX lost half-way unlinks nobody."""
        pbx = pbx_named(options["name"])
        try:
            people = list(backend_for(pbx).users())
        except TelephonyError as error:
            raise CommandError(f"{pbx.name}: {error}. Try check_pbx {pbx.name}.") from None
        finally:
            close_backends()
        result = sync_users(pbx, people)
        self.stdout.write(
            f"{pbx.name}: {result.created} created, {result.updated} updated, "
            f"{result.unlinked} without a phone now"
        )
