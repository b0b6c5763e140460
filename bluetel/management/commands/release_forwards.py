"""``release_forwards [--all|USER]``: every forward BlueTel set goes back to the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.utils import timezone

from bluetel.accounts.services import find_user
from bluetel.management.database_command import DatabaseCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(DatabaseCommand):
    """Safe beside a running engine, and works without one."""

    help = (
        "Put the PBX forwards that BlueTel set back to the users' own, and let the meetings in "
        "progress change nothing. The rules stay: the next meeting applies again. "
        "Without a user it is everybody's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one user, or all."""
        who = parser.add_mutually_exclusive_group()
        who.add_argument("user", nargs="?", help="username, e-mail or PBX id")
        who.add_argument("--all", action="store_true", help="everybody, as without a user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Give back, and say whose forward is still ours."""
        from forwarding.releasing import give_back

        users: list[int] | None = None
        if options["user"] is not None:
            user = find_user(options["user"])
            if user is None:
                raise CommandError(f"nobody has the username, e-mail or PBX id {options['user']}")
            users = [user.pk]
        looked_at, left = give_back(users, now=timezone.now())
        whose = "everybody" if users is None else options["user"]
        self.stdout.write(
            f"{whose}: {looked_at} looked at, {looked_at - len(left)} have their own forwards"
        )
        if left:
            raise CommandError(
                f"the phone system did not take {len(left)}; their rows are marked, and the engine "
                "goes on trying"
            )
