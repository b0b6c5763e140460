"""The people of a PBX that has no list of them: out of a CSV file, or of the company directory.

On such a PBX somebody's login is his id and his number his one line.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from bluetel.ldap.attributes import Field
from bluetel.telephony.types import PbxUser

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bluetel.ldap.client import LdapClient, Session
    from bluetel.ldap.entries import Entry

COLUMNS = {
    "login": ("login", "username", "identifiant"),
    "number": ("number", "extension", "numero", "poste"),
    "name": ("name", "fullname", "nom"),
    "email": ("email", "mail", "courriel"),
}
"""What a file's header may call each column, without accents, case and punctuation."""

LONGEST_LOGIN = 128
LONGEST_EMAIL = 254
_NUMBER = re.compile(r"[0-9]{1,40}")
_SIP = re.compile(r"\A(?:sips?:)?([0-9]+)@\S+\Z", re.IGNORECASE)

ORDER = ("login", "number", "name", "email")
"""The columns of a file without a header."""


class PeopleFileError(Exception):
    """The file can't be read; the text says which line and why, for the administrator."""


def people_in_csv(data: bytes) -> list[PbxUser]:
    """Everybody in a file with login, number, name and e-mail; commas, semicolons or tabs."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PeopleFileError("the file is not UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise PeopleFileError(f"the file is not CSV: {error}") from None
    if not rows:
        raise PeopleFileError("the file is empty")
    places = _places(rows[0])
    if places is None:
        places = {name: place for place, name in enumerate(ORDER)}
    else:
        rows = rows[1:]
    people: dict[str, PbxUser] = {}
    for number, row in enumerate(rows, start=1):
        found = _person_of_row(row, places, number)
        if found.id in people:
            raise PeopleFileError(f"row {number}: the login {found.id} is there twice")
        people[found.id] = found
    if not any(person.extension for person in people.values()):
        raise PeopleFileError("nobody in it has a number, so that nobody would have a phone")
    return list(people.values())


def _places(header: Sequence[str]) -> dict[str, int] | None:
    """Where each column is, or None where the first row is no header."""
    names = [_folded(cell) for cell in header]
    if not set(names) & set(COLUMNS["login"]):
        return None
    return {
        name: next(names.index(word) for word in words if word in names)
        for name, words in COLUMNS.items()
        if set(words) & set(names)
    }


def _person_of_row(row: Sequence[str], places: dict[str, int], number: int) -> PbxUser:
    cells = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
    login = cells.get("login", "")
    extension = cells.get("number", "")
    if not login:
        raise PeopleFileError(f"row {number}: the login is missing")
    if len(login) > LONGEST_LOGIN or not login.isprintable():
        raise PeopleFileError(f"row {number}: the login is not one")
    if extension and not _NUMBER.fullmatch(extension):
        raise PeopleFileError(f"row {number}: the number of {login} is not one")
    email = cells.get("email", "")
    if email and not _is_email(email):
        raise PeopleFileError(f"row {number}: the e-mail of {login} is not one")
    first, _, last = cells.get("name", "").partition(" ")
    return PbxUser.by_login(login, number=extension, first_name=first, last_name=last, email=email)


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= LONGEST_EMAIL


def people_in_ldap(client: LdapClient) -> list[PbxUser]:
    """Everybody in the company directory with a login and an internal number.

    Raises ``bluetel.ldap.errors.LdapError``.
    """

    def read(session: Session) -> list[PbxUser]:
        attributes = session.attributes
        names = attributes.names(
            Field.LOGIN,
            Field.EXTENSION,
            Field.GIVEN_NAME,
            Field.FAMILY_NAME,
            Field.EMAIL,
            Field.MOBILE,
        )
        people = []
        for answer in session.pages(session.person_filter, attributes=names):
            people += [one for entry in answer.entries if (one := _person_of_entry(entry, session))]
        return people

    return client.read(read)


def _person_of_entry(entry: Entry, session: Session) -> PbxUser | None:
    attributes = session.attributes
    login = entry.text(*attributes[Field.LOGIN])
    extension = internal_number(
        value for name in attributes[Field.EXTENSION] for value in entry.texts(name)
    )
    if not login or not extension:
        return None
    return PbxUser.by_login(
        login,
        number=extension,
        first_name=entry.text(*attributes[Field.GIVEN_NAME]),
        last_name=entry.text(*attributes[Field.FAMILY_NAME]),
        email=entry.text(*attributes[Field.EMAIL]),
        mobile=entry.text(*attributes[Field.MOBILE]),
    )


def internal_number(values: Iterable[str]) -> str:
    """The shortest number among ``values``, for directories keep outside ones beside it.

    ``ipPhone`` often holds ``sip:1005@pbx``, of which the part before the @ is dialled. Empty where
    nothing is a number.

    >>> internal_number(["01 99 00 10 05", "0199001005", "sip:1005@pbx.example"])
    '1005'
    """
    found = [_SIP.sub(r"\1", value.strip()) for value in values]
    return min((one for one in found if one.isascii() and one.isdigit()), key=len, default="")


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in parts if char.isalnum())
