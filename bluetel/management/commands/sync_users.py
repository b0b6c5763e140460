"""``sync_users NAME``: the people of a PBX become BlueTel users."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandError

from bluetel.accounts.pbx import backend_for, close_backends
from bluetel.accounts.people_sources import PeopleFileError, people_in_csv, people_in_ldap
from bluetel.accounts.services import NobodyListed, sync_users
from bluetel.ldap.client import client_for
from bluetel.ldap.errors import LdapError
from bluetel.management.database_command import DatabaseCommand
from bluetel.management.pbx_argument import pbx_named
from bluetel.telephony.errors import TelephonyError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from bluetel.accounts.models import Pbx
    from bluetel.telephony.types import PbxUser


class Command(DatabaseCommand):
    """Bring everybody in, matched by PBX id, then by e-mail; run it as often as you like."""

    help = "Make the people of a PBX BlueTel users, matched by PBX id, then by e-mail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the PBX's name, and where else people may come from."""
        parser.add_argument("name")
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--csv",
            metavar="FILE",
            type=Path,
            help="login, number, name, e-mail: for a PBX that has no list of its users (XiVO)",
        )
        source.add_argument(
            "--ldap",
            action="store_true",
            help="the company directory's people with a login and an internal number, likewise",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read all people first, so that a source lost half-way unlinks nobody."""
        pbx = pbx_named(options["name"])
        try:
            people = self._people(pbx, csv=options["csv"], ldap=options["ldap"])
        except TelephonyError as error:
            raise CommandError(f"{pbx.name}: {error}. Try check_pbx {pbx.name}.") from None
        finally:
            close_backends()
        try:
            result = sync_users(pbx, people)
        except NobodyListed:
            raise CommandError(
                f"{pbx.name}: the PBX's list of users is empty, so nothing was changed. Look at "
                "what the account may see there (its tenant, its rights)."
            ) from None
        self.stdout.write(
            f"{pbx.name}: {result.created} created, {result.updated} updated, "
            f"{result.unlinked} without a phone now"
        )

    def _people(self, pbx: Pbx, *, csv: Path | None, ldap: bool) -> list[PbxUser]:
        backend = backend_for(pbx)
        if csv is None and not ldap:
            if not backend.people_source:
                raise CommandError(
                    f"{pbx.name}: this PBX has no list of its users. Give one with --csv FILE "
                    "(login, number, name, e-mail), take them from the company directory with "
                    "--ldap, or name the PBX's confd with connect_pbx --option confd_url=URL."
                )
            return list(backend.users())
        if not backend.uses_own_logins:
            raise CommandError(f"{pbx.name}: this PBX lists its users itself; leave --csv, --ldap")
        return _in_file(csv) if csv is not None else _in_directory()


def _in_file(path: Path) -> list[PbxUser]:
    try:
        return people_in_csv(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from None
    except PeopleFileError as error:
        raise CommandError(f"{path}: {error}; nothing was changed") from None


def _in_directory() -> list[PbxUser]:
    if settings.LDAP_CONFIG is None:
        raise CommandError("no company directory is set: see BLUETEL_LDAP_URL")
    try:
        people = people_in_ldap(client_for(settings.LDAP_CONFIG))
    except LdapError as error:
        raise CommandError(f"the company directory can't be read: {error}") from None
    if not people:
        raise CommandError("nobody in the company directory has a login and an internal number")
    return people
