"""OpenLDAP in the shape of an Active Directory: its attributes, ids, change numbers, root DSE.

It is no Active Directory: nothing counts ``uSNChanged`` up or fills ``memberOf`` by itself, so
tests write both, as :meth:`ShapedAsActiveDirectory.change_person` does.
"""

from __future__ import annotations

import base64
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers.slapd import JPEG, Slapd, Values

HERE = Path(__file__).resolve().parent
FIRST_USN = 5000


class ShapedAsActiveDirectory(Slapd):
    """60 users, two of them disabled, and 5 contacts."""

    name = "slapd_ad"
    suffix: ClassVar[str] = "dc=ad,dc=test"
    schemas: ClassVar[tuple[str, ...]] = ("core", "cosine", "inetorgperson")

    def set_up(self) -> None:
        """Write what the server tells about itself first; ``slapd.conf`` names the file."""
        self.write_root(highest_usn=FIRST_USN + 100)
        # Copied, since slapd's user may not read the checkout.
        shutil.copyfile(HERE / "ad.schema", self.folder / "ad.schema")
        super().set_up()

    def write_root(self, *, highest_usn: int) -> None:
        """The root DSE's own attributes; a running server reads them at its next start."""
        values = {
            # LDAP_CAP_ACTIVE_DIRECTORY_OID: how a client knows what it talks to.
            "supportedCapabilities": "1.2.840.113556.1.4.800",
            "defaultNamingContext": self.suffix,
            "dsServiceName": self.controller_dn,
            "highestCommittedUSN": str(highest_usn),
        }
        lines = "\n".join(f"{name}: {value}" for name, value in values.items())
        (self.folder / "root.ldif").write_text(f"dn:\n{lines}\n", encoding="utf-8")

    @property
    def controller_dn(self) -> str:
        """The entry that stands for the domain controller."""
        return f"cn=NTDS Settings,ou=services,{self.suffix}"

    def change_person(self, number: int, *, usn: int, lines: str) -> None:
        """Replace attributes of a user by an LDIF fragment, under a new change number."""
        self.change(
            f"dn: {user_dn(number, self.people_base)}\nchangetype: modify\n{lines}\n-\n"
            f"replace: uSNChanged\nuSNChanged: {usn}\n-\n"
        )

    def extra_global(self) -> Sequence[str]:
        """The schema, and the root DSE's file."""
        return (f"include {self.folder}/ad.schema", f"rootDSE {self.folder}/root.ldif")

    def set_invocation(self, invocation: bytes) -> None:
        """As a restore from a backup does."""
        self.change(
            f"dn: {self.controller_dn}\nchangetype: modify\nreplace: invocationId\n"
            f"invocationId:: {base64.b64encode(invocation).decode()}\n-\n"
        )

    def people(self) -> Iterator[tuple[str, Mapping[str, Values]]]:
        """Users, then contacts, and the controller's entry."""
        yield (
            self.controller_dn,
            {
                "objectClass": ["nTDSDSA"],
                "cn": ["NTDS Settings"],
                "invocationId": [b"0123456789abcdef"],
            },
        )
        for number in range(60):
            yield user_dn(number, self.people_base), self._user(number)
        for number in range(5):
            yield (
                f"CN=Contact {number},{self.people_base}",
                {
                    "objectClass": ["contact"],
                    "objectCategory": ["person"],
                    "cn": [f"Contact {number}"],
                    "sn": [f"Contact {number}"],
                    "objectGUID": [guid_of(1000 + number).bytes_le],
                    "uSNChanged": [str(FIRST_USN)],
                    "company": ["Port de Kerloc'h"],
                    "telephoneNumber": [f"02 61 91 44 {number:02}"],
                },
            )

    def groups(self) -> Iterator[tuple[str, Mapping[str, Values]]]:
        """``Reception`` has no ``member``: the users' ``memberOf`` alone tells."""
        for name in ("Reception", "Administrators"):
            yield (
                f"CN={name},ou=groups,{self.suffix}",
                {"objectClass": ["group"], "cn": [name]},
            )

    def _user(self, number: int) -> Mapping[str, Values]:
        login = f"user{number:02}"
        attributes: dict[str, Values] = {
            "objectClass": ["user"],
            "objectCategory": ["person"],
            "objectGUID": [guid_of(number).bytes_le],
            "uSNChanged": [str(FIRST_USN + number)],
            "whenChanged": ["20260901120000.0Z"],
            "sAMAccountName": [login],
            "userPrincipalName": [f"{login}@ad.test"],
            # 512 is a normal account; bit 2 disables it.
            "userAccountControl": ["514" if number in {58, 59} else "512"],
            "cn": [common_name(number)],
            "displayName": [f"Renée Müller {number:02}"],
            "givenName": ["Renée"],
            "sn": [f"Müller {number:02}"],
            "mail": [f"renee.muller{number:02}@demo.test"],
            "company": ["Demo"],
            "department": ["Étude"],
            "title": ["Responsable qualité"],
            "info": ["Speaks Breton"],
            "telephoneNumber": [f"+33 1 99 00 50 {number:02}"],
            "otherTelephone": [f"+33 1 99 00 51 {number:02}"],
            "mobile": [f"+33 6 39 98 50 {number:02}"],
            "otherMobile": [f"+33 6 39 98 51 {number:02}"],
            "homePhone": [f"02 61 91 50 {number:02}"],
            "ipPhone": [f"sip:15{number:02}@pbx.demo.test"],
            "facsimileTelephoneNumber": [f"+33 1 99 00 52 {number:02}"],
            "pager": [f"88{number:02}"],
            "thumbnailPhoto": [JPEG],
            "manager": [user_dn(0, self.people_base)],
            "assistant": [user_dn(1, self.people_base)],
            "userPassword": [f"word-{login}"],
        }
        if number < 3:
            attributes["memberOf"] = [f"CN=Reception,ou=groups,{self.suffix}"]
        return attributes


def guid_of(number: int) -> uuid.UUID:
    """The objectGUID of a user, or of a contact from 1000 on."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{number}.ad.test")


def common_name(number: int) -> str:
    """As Active Directory names accounts: family name, comma, given name."""
    return f"Müller {number:02}, Renée"


def user_dn(number: int, base: str) -> str:
    """Where a user is; the comma of his name is escaped."""
    return f"CN={common_name(number)}".replace(",", "\\,") + f",{base}"


SERVER = ShapedAsActiveDirectory
