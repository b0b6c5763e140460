"""``connect_pbx NAME --kind wazo --url URL --username U --password-env VAR``."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from bluetel.accounts.encryption import UnreadableSecret
from bluetel.accounts.models import Pbx
from bluetel.accounts.pbx import open_backend
from bluetel.management.database_command import DatabaseCommand
from bluetel.pbx_push import path_of
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.http import checked_url, tls_context

if TYPE_CHECKING:
    from argparse import ArgumentParser

SEALED = ("password", "api_key", "confd_password", "push_secret")


class Command(DatabaseCommand):
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
        pbx = self._row(options["name"])
        done = "added" if pbx is None else "changed"
        pbx = pbx or Pbx(name=options["name"])
        pbx.kind = options["kind"]
        pbx.url = options["url"].rstrip("/")
        pbx.username, pbx.password = options["username"], password
        pbx.tenant, pbx.ca_file = options["tenant"], options["ca_file"]
        pbx.options = _chosen(options["option"])
        for field, value in _more_secrets(options).items():
            setattr(pbx, field, value)
        _check_fields(pbx)
        try:
            backend = open_backend(pbx)
        except TelephonyError as error:
            raise CommandError(f"--option: {error}") from None
        backend.close()
        pbx.save()
        if backend.uses_own_logins:
            self._show_push_address(pbx)
        self.stdout.write(f"PBX {options['name']} {done}. Next: check_pbx {options['name']}")

    def _row(self, name: str) -> Pbx | None:
        """The row there is; what nobody can open any more is forgotten."""
        rows = Pbx.objects.filter(name=name)
        try:
            return rows.first()
        except UnreadableSecret:
            pbx = rows.defer(*SEALED).get()
        for field in SEALED:
            setattr(pbx, field, "")
        self.stderr.write(
            "the secret key has changed: what was sealed of this PBX is forgotten, but for what is "
            "given now"
        )
        return pbx

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


def _chosen(pairs: list[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not is_pair:
            raise CommandError(f"--option {pair} must be NAME=VALUE")
        chosen[name] = value
    return chosen


def _check_fields(pbx: Pbx) -> None:
    """What each argument must be; the error names the first that can't be used."""
    try:
        pbx.full_clean(validate_unique=False)
    except ValidationError as error:
        field, texts = next(iter(error.message_dict.items()))
        raise CommandError(f"{_argument(field)}: {' '.join(texts)}") from None
    if not pbx.username.strip():
        raise CommandError("--username: it is empty")
    if pbx.tenant and not _is_uuid(pbx.tenant):
        raise CommandError("--tenant must be the tenant's UUID")
    try:
        url = checked_url(pbx.url)
    except TelephonyError as error:
        raise CommandError(f"--url: {error}; it must be like https://pbx.example.org") from None
    if urlsplit(url).path:
        raise CommandError("--url must be like https://pbx.example.org, without a path")
    try:
        tls_context(pbx.ca_file)
    except TelephonyError as error:
        raise CommandError(f"--ca-file: {error}") from None


def _argument(field: str) -> str:
    return "NAME" if field == "name" else f"--{field.replace('_', '-')}"
