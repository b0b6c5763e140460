"""``connect_pbx NAME --kind wazo --url URL --username U --password-env VAR``."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug

from bluetel.accounts.models import Pbx
from bluetel.accounts.pbx import backend_for, check_options, close_backends
from bluetel.pbx_push import path_of
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
        parser.add_argument(
            "--api-key-env", metavar="VAR", help="XiVO: the key that REST 1.0 asks for, if any"
        )
        parser.add_argument(
            "--confd-password-env", metavar="VAR", help="XiVO: with --option confd_username=…"
        )
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="what this make of PBX lets you choose (docs/pbx-backends.md); may come again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check what can be checked without the PBX, then save."""
        password = _secret(options["password_env"])
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
        if options["tenant"] and not _is_uuid(options["tenant"]):
            raise CommandError("--tenant must be the tenant's UUID")
        if options["ca_file"] and not Path(options["ca_file"]).is_file():
            raise CommandError(f"--ca-file: there is no file {options['ca_file']}")
        chosen = _chosen(options["kind"], options["option"])
        pbx, created = Pbx.objects.update_or_create(
            name=options["name"],
            defaults={
                "kind": options["kind"],
                "url": url,
                "username": options["username"],
                "password": password,
                "tenant": options["tenant"],
                "ca_file": options["ca_file"],
                "options": chosen,
                **_more_secrets(options),
            },
        )
        done = "added" if created else "changed"
        if backend_for(pbx).uses_own_logins:
            self._show_push_address(pbx)
        close_backends()
        self.stdout.write(f"PBX {options['name']} {done}. Next: check_pbx {options['name']}")

    def _show_push_address(self, pbx: Pbx) -> None:
        """Where the PBX may post its phones' states; the address itself is the secret."""
        if not pbx.push_secret:
            pbx.push_secret = secrets.token_urlsafe(32)
            pbx.save(update_fields=["push_secret"])
        self.stdout.write(
            "The PBX may post its phones' states to this address (api.eventUrl); it is a secret:"
        )
        self.stdout.write(f"{settings.ENV.origin}{path_of(pbx)}")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _secret(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise CommandError(f"the environment variable {variable} is not set")
    return value


def _more_secrets(options: dict[str, Any]) -> dict[str, str]:
    """The secrets that were named; those that were not stay as they are."""
    named = {
        "api_key": options["api_key_env"],
        "confd_password": options["confd_password_env"],
    }
    return {field: _secret(variable) for field, variable in named.items() if variable}


def _chosen(kind: str, pairs: list[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not is_pair:
            raise CommandError(f"--option {pair} must be NAME=VALUE")
        chosen[name] = value
    try:
        check_options(kind, chosen)
    except TelephonyError as error:
        raise CommandError(str(error)) from None
    return chosen
