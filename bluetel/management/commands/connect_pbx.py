"""``connect_pbx NAME --kind wazo --url URL --username U --password-env VAR``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug

from bluetel.accounts.models import Pbx
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.http import checked_url

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Write down how to reach a PBX; running it again with the same name changes the row."""

    help = "Add a PBX, or change how an existing one is reached. check_pbx then tries it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the row's fields; the password comes by environment, never by argument."""
        parser.add_argument("name")
        parser.add_argument("--kind", choices=["wazo", "xivo"], required=True)
        parser.add_argument("--url", required=True, help="https://pbx.example.org")
        parser.add_argument("--username", required=True)
        parser.add_argument("--password-env", required=True, metavar="VAR")
        parser.add_argument("--tenant", default="")
        parser.add_argument("--ca-file", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check what can be checked without the PBX, then save."""
        password = os.environ.get(options["password_env"])
        if not password:
            raise CommandError(f"the environment variable {options['password_env']} is not set")
        url = options["url"].rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
            raise CommandError("--url must be like https://pbx.example.org, without a path")
        try:
            validate_slug(options["name"])
            checked_url(url)
        except ValidationError:
            raise CommandError("NAME may have letters, digits, - and _ only") from None
        except TelephonyError as error:
            raise CommandError(str(error)) from None
        _, created = Pbx.objects.update_or_create(
            name=options["name"],
            defaults={
                "kind": options["kind"],
                "url": url,
                "username": options["username"],
                "password": password,
                "tenant": options["tenant"],
                "ca_file": options["ca_file"],
            },
        )
        done = "added" if created else "changed"
        self.stdout.write(f"PBX {options['name']} {done}. Next: check_pbx {options['name']}")
