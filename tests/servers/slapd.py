"""OpenLDAP with an invented company of 1,200 people, groups, TLS and a service account.

``slapd`` needs ``ldap-utils`` beside it: ``change`` uses its ``ldapmodify``.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from bluetel.ldap.config import LdapConfig, ldap_config
from tests.servers.base import Server, as_unprivileged, free_port, is_open, until
from tests.servers.certificates import Authority

GIVEN_NAMES = (
    "Agnès", "Amélie", "Benoît", "Björn", "Camille", "Chloé", "Damien", "Élodie", "Fatima",
    "François", "Gaëlle", "Hélène", "Ibrahim", "Inès", "Jean-Pierre", "Joséphine", "Karim",
    "Loïc", "Łucja", "Maëva", "Mathilde", "Noël", "Nuno", "Océane", "Øystein", "Raphaël",
    "Ștefan", "Thaïs", "Yann", "Zoé",
)  # fmt: skip
FAMILY_NAMES = (
    "Abgrall", "Béguin", "Belkacem", "Bœuf", "Caër", "Çelik", "D'Hérouville", "Delaunay",
    "Fernández", "Groß", "Guégan", "Haddad", "Hervé", "Işık", "Jaouen", "Kerjean", "Lefèvre",
    "Le Goff", "Lindqvist", "Marchetti", "Müller", "Nguyễn", "O'Neil", "Pérez", "Quéméner",
    "Renard", "Saint-Ouen", "Tavares", "Ünal", "Villeneuve", "Wiśniewska", "Yılmaz", "Øvergård",
    "Žižka", "Morvan", "Roudaut", "Le Bihan", "Cadiou", "Salaün", "Prigent",
)  # fmt: skip

JPEG = b"\xff\xd8\xff\xe0" + b"invented picture " * 60
OVERSIZED_JPEG = b"\xff\xd8\xff\xe0" + bytes(300_000)

ROOT_PASSWORD = "root-of-the-tests"
SERVICE_PASSWORD = "reads-everything"

Values = Sequence[str | bytes]


class Slapd(Server):
    """inetOrgPerson below ``ou=people``; only bound accounts may read.

    The service account ``service_dn`` reads everything in pages; ``limited_dn`` is stopped after
    500 entries, pages or not, as a default OpenLDAP does. A person's password is ``word-`` and
    his uid.
    """

    name = "slapd"
    package = "slapd"
    suffix: ClassVar[str] = "dc=demo,dc=test"
    schemas: ClassVar[tuple[str, ...]] = ("core", "cosine", "inetorgperson", "nis")
    host_names: ClassVar[tuple[str, ...]] = ("127.0.0.1", "localhost")

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self.tls_port = free_port()
        self.authority = Authority("Directory CA of the tests")

    @classmethod
    def find(cls) -> Path | None:
        """``slapd``, which Debian keeps off a user's path; none without its tools."""
        slapd = Path("/usr/sbin/slapd")
        tools = Path("/usr/bin/ldapmodify")
        return slapd if slapd.exists() and tools.exists() else None

    @property
    def url(self) -> str:
        """``ldap://…`` on loopback, where StartTLS works too."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ldaps_url(self) -> str:
        """``ldaps://…`` with a certificate of :attr:`ca_file`."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ca_file(self) -> Path:
        """The authority that signed the server's certificate."""
        return self.folder / "ca.pem"

    @property
    def people_base(self) -> str:
        """Where people are."""
        return f"ou=people,{self.suffix}"

    @property
    def service_dn(self) -> str:
        """The account BlueTel binds as."""
        return f"cn=bluetel,ou=services,{self.suffix}"

    @property
    def limited_dn(self) -> str:
        """An account with the server's default size limit."""
        return f"cn=limited,ou=services,{self.suffix}"

    def config(self, **settings: str) -> LdapConfig:
        """Settings as an administrator would write them for this server, with changes."""
        plain = {
            "url": self.url,
            "base": self.suffix,
            "bind_dn": self.service_dn,
            "bind_password": SERVICE_PASSWORD,
            **settings,
        }
        config = ldap_config(plain.pop("url"), **plain)
        assert config is not None
        return config

    # --- How it runs ------------------------------------------------------------------------

    def set_up(self) -> None:
        """Write certificate, configuration and people; takes two seconds."""
        self.ca_file.write_bytes(self.authority.certificate)
        certificate, key = self.authority.issue(*self.host_names)
        (self.folder / "server.pem").write_bytes(certificate)
        (self.folder / "server.key").write_bytes(key)
        (self.folder / "slapd.conf").write_text(self.configuration(), encoding="utf-8")
        (self.folder / "people.ldif").write_text(self.ldif(), encoding="utf-8")
        self.run("mkdir", str(self.folder / "db"))
        self.run(
            "/usr/sbin/slapadd", "-q", "-f", str(self.folder / "slapd.conf"),
            "-l", str(self.folder / "people.ldif"),
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        """In the foreground; ``-d 0`` keeps it there."""
        return [
            str(self.program()),
            *["-d", "0", "-f", str(self.folder / "slapd.conf")],
            *["-h", f"{self.url}/ {self.ldaps_url}/"],
        ]

    def answers(self) -> bool:
        """Whether both ports are open."""
        return is_open(self.port) and is_open(self.tls_port)

    def kill(self) -> None:
        """End it as a power cut would."""
        pid = int((self.folder / "slapd.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_open(self.port))

    @contextlib.contextmanager
    def running_again(self) -> Iterator[None]:
        """Start it once more on its data and ports, after :meth:`kill`."""
        process = subprocess.Popen(
            [*as_unprivileged(), *self.command()],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(self.answers)
            yield
        finally:
            process.terminate()
            process.wait(10)

    def change(self, ldif: str) -> None:
        """Carry out changes in LDIF (``changetype: modify`` and so on) as the administrator."""
        path = self.folder / "change.ldif"
        path.write_text(ldif, encoding="utf-8")
        self.run(
            "/usr/bin/ldapmodify", "-x", "-H", self.url, "-D", f"cn=root,{self.suffix}",
            "-w", ROOT_PASSWORD, "-f", str(path),
        )  # fmt: skip

    # --- What it holds ----------------------------------------------------------------------

    def configuration(self) -> str:
        """``slapd.conf``."""
        folder, service = self.folder, self.service_dn
        return "\n".join(
            [
                *(f"include /etc/ldap/schema/{schema}.schema" for schema in self.schemas),
                *self.extra_global(),
                f"pidfile {folder}/slapd.pid",
                f"argsfile {folder}/slapd.args",
                f"TLSCACertificateFile {folder}/ca.pem",
                f"TLSCertificateFile {folder}/server.pem",
                f"TLSCertificateKeyFile {folder}/server.key",
                "modulepath /usr/lib/ldap",
                "moduleload back_mdb.la",
                "sizelimit 500",
                "database mdb",
                "maxsize 134217728",
                f'suffix "{self.suffix}"',
                f'rootdn "cn=root,{self.suffix}"',
                f"rootpw {ROOT_PASSWORD}",
                f"directory {folder}/db",
                "dbnosync",
                "index objectClass,entryUUID,mail eq",
                "index cn,sn,givenName,telephoneNumber,mobile eq,sub",
                f'limits dn.exact="{service}" size=500 size.prtotal=unlimited',
                "access to attrs=userPassword by anonymous auth by * none",
                "access to *",
                f'  by dn.exact="{service}" read',
                f'  by dn.exact="{self.limited_dn}" read',
                "  by self read",
                "  by * none",
                "",
            ]
        )

    def extra_global(self) -> Sequence[str]:
        """Lines for the schema's sake."""
        return ()

    def ldif(self) -> str:
        """Everything in the directory at the start."""
        top = self.suffix.partition(",")[0].removeprefix("dc=")
        organisation = {"objectClass": ["organization", "dcObject"], "o": ["Demo"], "dc": [top]}
        entries: list[tuple[str, Mapping[str, Values]]] = [(self.suffix, organisation)]
        entries += [
            (f"ou={unit},{self.suffix}", {"objectClass": ["organizationalUnit"], "ou": [unit]})
            for unit in ("people", "groups", "services")
        ]
        entries += [
            (dn, _service(dn, SERVICE_PASSWORD)) for dn in (self.service_dn, self.limited_dn)
        ]
        entries += list(self.people())
        entries += list(self.groups())
        return "\n".join(_record(dn, attributes) for dn, attributes in entries)

    def people(self) -> Iterator[tuple[str, Mapping[str, Values]]]:
        """1,200 people, by DN."""
        for number, (family, given) in enumerate(itertools.product(FAMILY_NAMES, GIVEN_NAMES)):
            uid = f"p{number:04}"
            attributes: dict[str, Values] = {
                "objectClass": ["inetOrgPerson"],
                "uid": [uid],
                "cn": [f"{given} {family}"],
                "sn": [family],
                "givenName": [given],
                "mail": [f"{uid}@demo.test"],
                "o": ["Ateliers Brossard" if number % 7 == 0 else "Demo"],
                "ou": [f"Workshop {number % 12}"],
                "title": ["Ingénieure" if number % 2 else "Opératrice"],
                "telephoneNumber": [_national("01 99", number), str(1000 + number)][
                    : 1 + number % 2
                ],
                "userPassword": [f"word-{uid}"],
            }
            if number % 3 == 0:
                attributes["mobile"] = [f"+33 6 39 98 {number // 100:02} {number % 100:02}"]
            if number % 5 == 0:
                attributes["homePhone"] = [_national("02.61", number).replace(" ", ".")]
                attributes["facsimileTelephoneNumber"] = [_national("03 53", number)]
                attributes["pager"] = [f"77{number:04}"]
            if number % 10 == 0:
                attributes["jpegPhoto"] = [OVERSIZED_JPEG if number == 10 else JPEG]
            if number % 30:
                attributes["manager"] = [f"uid=p{number - number % 30:04},{self.people_base}"]
            if number % 30 == 0:
                attributes["secretary"] = [f"uid=p{number + 1:04},{self.people_base}"]
            yield f"uid={uid},{self.people_base}", attributes

    def groups(self) -> Iterator[tuple[str, Mapping[str, Values]]]:
        """``telephony`` (first twenty), ``reception`` (first two), ``operators`` (by uid)."""
        for name, size in (("telephony", 20), ("reception", 2)):
            members = [f"uid=p{number:04},{self.people_base}" for number in range(size)]
            yield (
                f"cn={name},ou=groups,{self.suffix}",
                {"objectClass": ["groupOfNames"], "cn": [name], "member": members},
            )
        yield (
            f"cn=operators,ou=groups,{self.suffix}",
            {
                "objectClass": ["posixGroup"],
                "cn": ["operators"],
                "gidNumber": ["700"],
                "memberUid": ["p0001", "p0003"],
            },
        )


def _service(dn: str, password: str) -> Mapping[str, Values]:
    name = dn.partition(",")[0].partition("=")[2]
    return {
        "objectClass": ["organizationalRole", "simpleSecurityObject"],
        "cn": [name],
        "userPassword": [password],
    }


def _national(prefix: str, number: int) -> str:
    return f"{prefix} {number // 10000:02} {number // 100 % 100:02} {number % 100:02}"


def _record(dn: str, attributes: Mapping[str, Values]) -> str:
    lines = [_line("dn", dn)]
    lines += [_line(name, value) for name, values in attributes.items() for value in values]
    return "\n".join(lines) + "\n"


def _line(name: str, value: str | bytes) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return f"{name}:: {base64.b64encode(raw).decode()}"


SERVER = Slapd
