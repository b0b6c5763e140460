"""``create_api_token USER``: a key for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from bluetel.accounts.services import create_api_token, find_user
from bluetel.management.database_command import DatabaseCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(DatabaseCommand):
    """Print a new token, alone on the last line; it can't be shown again."""

    help = "Make an API token for a user (username, e-mail or PBX id) and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the user."""
        parser.add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make and print it."""
        user = find_user(options["user"])
        if user is None:
            raise CommandError(f"no user has the username, e-mail or PBX id {options['user']}")
        self.stderr.write(f"token of {user.username}; keep it, it is not shown again")
        self.stdout.write(create_api_token(user))
