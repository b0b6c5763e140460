"""Which LDAP attributes hold what, with defaults for the two kinds of directory in offices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bluetel.ldap.errors import LdapSettingsError


class Schema(StrEnum):
    """The make of a directory; ``AUTO`` asks the server which of the others it is."""

    AUTO = "auto"
    OPENLDAP = "openldap"
    ACTIVE_DIRECTORY = "ad"


class Field(StrEnum):
    """What BlueTel knows of a person; the last eight are number labels of the contact base."""

    ID = "id"
    LOGIN = "login"
    CHANGED = "changed"
    MODIFIED = "modified"
    NAME = "name"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    EMAIL = "email"
    COMPANY = "company"
    DEPARTMENT = "department"
    TITLE = "title"
    MANAGER = "manager"
    ASSISTANT = "assistant"
    NOTE = "note"
    PHOTO = "photo"
    WORK = "work"
    MOBILE = "mobile"
    HOME = "home"
    EXTENSION = "extension"
    OTHER = "other"
    FAX = "fax"
    PAGER = "pager"


NUMBER_FIELDS = (
    Field.WORK,
    Field.MOBILE,
    Field.EXTENSION,
    Field.HOME,
    Field.OTHER,
    Field.FAX,
    Field.PAGER,
)

_OPENLDAP: dict[Field, tuple[str, ...]] = {
    Field.ID: ("entryUUID",),
    Field.LOGIN: ("uid",),
    # entryCSN tells two changes within one second apart, modifyTimestamp doesn't.
    Field.CHANGED: ("entryCSN", "modifyTimestamp"),
    Field.MODIFIED: ("modifyTimestamp",),
    Field.NAME: ("displayName", "cn"),
    Field.GIVEN_NAME: ("givenName",),
    Field.FAMILY_NAME: ("sn",),
    Field.EMAIL: ("mail",),
    Field.COMPANY: ("o",),
    Field.DEPARTMENT: ("ou", "departmentNumber"),
    Field.TITLE: ("title",),
    Field.MANAGER: ("manager",),
    Field.ASSISTANT: ("secretary",),
    Field.NOTE: ("description",),
    Field.PHOTO: ("jpegPhoto", "thumbnailPhoto"),
    Field.WORK: ("telephoneNumber",),
    Field.MOBILE: ("mobile",),
    Field.HOME: ("homePhone",),
    Field.EXTENSION: ("ipPhone",),
    Field.OTHER: (),
    Field.FAX: ("facsimileTelephoneNumber",),
    Field.PAGER: ("pager",),
}

_ACTIVE_DIRECTORY: dict[Field, tuple[str, ...]] = {
    Field.ID: ("objectGUID",),
    Field.LOGIN: ("sAMAccountName", "userPrincipalName"),
    Field.CHANGED: ("uSNChanged",),
    Field.MODIFIED: ("whenChanged",),
    Field.NAME: ("displayName", "cn"),
    Field.GIVEN_NAME: ("givenName",),
    Field.FAMILY_NAME: ("sn",),
    Field.EMAIL: ("mail",),
    Field.COMPANY: ("company",),
    Field.DEPARTMENT: ("department",),
    Field.TITLE: ("title",),
    Field.MANAGER: ("manager",),
    Field.ASSISTANT: ("assistant", "msExchAssistantName"),
    Field.NOTE: ("info",),
    Field.PHOTO: ("thumbnailPhoto", "jpegPhoto"),
    Field.WORK: ("telephoneNumber", "otherTelephone"),
    Field.MOBILE: ("mobile", "otherMobile"),
    Field.HOME: ("homePhone", "otherHomePhone"),
    Field.EXTENSION: ("ipPhone", "otherIpPhone"),
    Field.OTHER: (),
    Field.FAX: ("facsimileTelephoneNumber", "otherFacsimileTelephoneNumber"),
    Field.PAGER: ("pager", "otherPager"),
}

_FILTERS = {
    Schema.OPENLDAP: "(objectClass=inetOrgPerson)",
    # Contacts, and accounts that are not disabled (bit 2 of userAccountControl).
    Schema.ACTIVE_DIRECTORY: (
        "(&(objectCategory=person)(|(objectClass=contact)(&(objectClass=user)"
        "(!(userAccountControl:1.2.840.113556.1.4.803:=2)))))"
    ),
}

# RFC 4512: a short name or an OID.
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class AttributeMap:
    """Per field, the attributes that hold it, best first."""

    fields: Mapping[Field, tuple[str, ...]]

    def __getitem__(self, field: Field) -> tuple[str, ...]:
        return self.fields.get(field, ())

    def names(self, *fields: Field) -> tuple[str, ...]:
        """The attributes of ``fields``, each once; of all fields when none is named."""
        wanted = fields or tuple(Field)
        return tuple(dict.fromkeys(name for field in wanted for name in self[field]))


def default_filter(schema: Schema) -> str:
    """Which entries are people, where the administrator says nothing."""
    return _FILTERS[schema]


def attribute_map(schema: Schema, changes: Mapping[Field, tuple[str, ...]]) -> AttributeMap:
    """The defaults of ``schema`` with the administrator's ``changes``, field by field."""
    defaults = _ACTIVE_DIRECTORY if schema is Schema.ACTIVE_DIRECTORY else _OPENLDAP
    return AttributeMap({**defaults, **changes})


def parse_attribute_changes(text: str) -> dict[Field, tuple[str, ...]]:
    """Read ``field=attribute+attribute, field=…``; an empty right side switches a field off.

    >>> parse_attribute_changes("extension=shortNumber, note=")
    {<Field.EXTENSION: 'extension'>: ('shortNumber',), <Field.NOTE: 'note'>: ()}
    """
    changes: dict[Field, tuple[str, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equal_sign, right = (piece.strip() for piece in part.partition("="))
        try:
            field = Field(name)
        except ValueError:
            known = " ".join(sorted(Field))
            raise LdapSettingsError(f"{name!r} is not a field; fields are: {known}") from None
        attributes = tuple(filter(None, (piece.strip() for piece in right.split("+"))))
        bad = [attribute for attribute in attributes if not _ATTRIBUTE.fullmatch(attribute)]
        if bad or not equal_sign:
            raise LdapSettingsError(f"{part!r} must be written field=attribute+attribute")
        if field is Field.ID and not attributes:
            raise LdapSettingsError("the field 'id' needs an attribute")
        changes[field] = attributes
    return changes
