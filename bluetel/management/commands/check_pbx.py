"""``check_pbx NAME``: does BlueTel's account work, and what may it do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandError

from bluetel.accounts.models import Pbx, PbxLogin
from bluetel.accounts.pbx import backend_for, close_backends
from bluetel.management.database_command import DatabaseCommand
from bluetel.management.pbx_argument import pbx_named
from bluetel.telephony.errors import AuthenticationFailed, Forbidden, TelephonyError

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(DatabaseCommand):
    """Sign in, list the capabilities and the missing rights, and say what to do."""

    help = "Sign in to a PBX and say what works, what is missing and what to do about it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the PBX's name."""
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with an error when the PBX can't be used at all."""
        pbx = pbx_named(options["name"])
        try:
            backend = backend_for(pbx)
        except TelephonyError as error:
            raise CommandError(
                f"{pbx.name}: {error}. Mend that, or give the PBX again with connect_pbx."
            ) from None
        try:
            missing = backend.check()
            version = backend.version()
        except Forbidden as error:
            raise CommandError(
                f"{pbx.name}: signed in as {pbx.username}, but a right is missing: "
                f"{error.right or error}. Add it to the account's policy on the PBX."
            ) from None
        except AuthenticationFailed as error:
            raise CommandError(
                f"{pbx.name}: the PBX refuses {pbx.username}: {error}. Check the account on the "
                "PBX and give the password again with connect_pbx."
            ) from None
        except TelephonyError as error:
            raise CommandError(
                f"{pbx.name}: {pbx.url} can't be used: {error}. Check the address, the network "
                "and the certificate (--ca-file)."
            ) from None
        finally:
            close_backends()
        told = f"version {version}" if version else "which tells no version"
        self.stdout.write(f"{pbx.name}: signed in as {pbx.username}, {told}")
        self.stdout.write("capabilities: " + ", ".join(sorted(backend.capabilities)))
        self.stdout.write(_people_line(pbx, backend.people_source))
        if backend.uses_own_logins:
            given = PbxLogin.objects.filter(user__pbx=pbx)
            self.stdout.write(
                f"own logins: {given.filter(works=True).count()} work, "
                f"{given.filter(works=False).count()} refused, of {pbx.users.count()} users"
            )
        for right, consequence in sorted(missing.items()):
            self.stdout.write(f"missing right {right}: {consequence}")
        if missing:
            self.stdout.write("Add the missing rights to the account's policy on the PBX.")
        else:
            self.stdout.write("all rights are there")


def _people_line(pbx: Pbx, source: str) -> str:
    match source:
        case "pbx":
            return "users: sync_users takes them from the PBX"
        case "":
            directory = "--ldap, or " if settings.LDAP_CONFIG is not None else ""
            return (
                f"users: this PBX has no list of them; sync_users {pbx.name} takes {directory}"
                "--csv FILE"
            )
        case other:
            return f"users: sync_users takes them from {other}"
