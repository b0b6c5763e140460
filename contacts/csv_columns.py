"""What the columns of a contacts CSV mean: Google, Outlook and Thunderbird, in English and French.

Programs name their columns in the language of their user and rename them between versions, so
headers are compared folded: without accents, case, spaces and punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from anyascii import anyascii

from contacts.card import Label


class Field(Enum):
    """Where a cell goes."""

    NAME = auto()
    GIVEN = auto()
    MIDDLE = auto()
    FAMILY = auto()
    PREFIX = auto()
    SUFFIX = auto()
    COMPANY = auto()
    DEPARTMENT = auto()
    TITLE = auto()
    ASSISTANT = auto()
    NOTE = auto()
    EMAIL = auto()
    NUMBER = auto()
    NUMBER_LABEL = auto()
    EMAIL_LABEL = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``group`` ties Google's label and value columns together ("phone 1")."""

    field: Field
    label: Label = Label.OTHER
    group: str = ""


_FIELDS: Final = {
    Field.NAME: "name fullname displayname fileas nomaafficher nomcomplet nomaffiche contact",
    Field.GIVEN: "firstname givenname prenom",
    Field.MIDDLE: "middlename additionalname deuxiemeprenom autresprenoms",
    Field.FAMILY: "lastname familyname surname nomdefamille",
    Field.PREFIX: "nameprefix prefix civilite",
    Field.SUFFIX: "namesuffix suffix suffixe",
    Field.COMPANY: "company organization organizationname organization1name societe entreprise "
    "organisation",
    Field.DEPARTMENT: "department organizationdepartment organization1department service "
    "departement",
    Field.TITLE: "jobtitle organizationtitle organization1title fonction profession poste1 titre1",
    Field.ASSISTANT: "assistant assistantsname nomdelassistante nomdelassistant",
    Field.NOTE: "notes note remarques commentaires",
    Field.EMAIL: "email emailaddress email2address email3address primaryemail secondaryemail "
    "mail courriel email1 email2 email3 adressedemessagerie adressedemessagerie2 "
    "adressedemessagerie3 adressemail adresseemail adresseelectronique premiereadresseelectronique "
    "adresseelectroniqueprincipale adresseelectroniquesecondaire deuxiemeadresseelectronique",
}
_NUMBERS: Final = {
    Label.WORK: "businessphone businessphone2 workphone workphone2 companymainphone work office "
    "telephonebureau telephone2bureau telbureau telephonesociete telprofessionnel "
    "telephoneprofessionnel bureau",
    Label.MOBILE: "mobilephone mobile mobilenumber cellphone cell telmobile telephonemobile "
    "portable telephoneportable telportable numerodeportable gsm",
    Label.HOME: "homephone homephone2 home telephonedomicile telephone2domicile teldomicile "
    "telpersonnel telephonepersonnel domicile",
    Label.EXTENSION: "extension internalphone poste postetelephonique numerointerne interne",
    Label.OTHER: "phone telephone tel otherphone primaryphone carphone callback radiophone number "
    "phonenumber numero numerodetelephone telephoneautre telephonevoiture telephoneprincipal "
    "rappel radiotelephone autretelephone",
    Label.FAX: "fax faxnumber businessfax homefax otherfax workfax telecopiebureau "
    "telecopiedomicile telecopieautre telecopie numerodefax telecopieur",
    Label.PAGER: "pager pagernumber numerodepager recepteurderadiomessagerie bip",
}
_KNOWN: Final = {
    **{word: Column(field) for field, words in _FIELDS.items() for word in words.split()},
    **{
        word: Column(Field.NUMBER, label)
        for label, words in _NUMBERS.items()
        for word in words.split()
    },
}
_GOOGLE = re.compile(r"(?P<what>phone|email)(?P<count>\d+)(?P<part>value|label|type)")


def columns_of(headers: Sequence[str]) -> list[Column | None]:
    """What each column holds; None for one of no interest.

    Three headers depend on the others. "Nom" is the family name beside a "Prénom", else the whole
    name. "Title" is "Mr" beside a "Job Title" (Outlook), else the job. "Titre" comes twice in
    French Outlook files, first "M.", then the job.
    """
    folded = [_folded(header) for header in headers]
    has_given = any(word in _FIELDS[Field.GIVEN].split() for word in folded)
    has_job = any(word in _FIELDS[Field.TITLE].split() for word in folded)
    found: list[Column | None] = []
    for place, word in enumerate(folded):
        if word == "nom":
            found.append(Column(Field.FAMILY if has_given else Field.NAME))
        elif word in {"title", "titre"}:
            comes_again = word in folded[place + 1 :]
            found.append(Column(Field.PREFIX if has_job or comes_again else Field.TITLE))
        elif matched := _GOOGLE.fullmatch(word):
            found.append(_google(matched))
        else:
            found.append(_KNOWN.get(word))
    return found


def _google(matched: re.Match[str]) -> Column:
    is_phone = matched["what"] == "phone"
    group = matched["what"] + matched["count"]
    if matched["part"] == "value":
        return Column(Field.NUMBER if is_phone else Field.EMAIL, group=group)
    return Column(Field.NUMBER_LABEL if is_phone else Field.EMAIL_LABEL, group=group)


def _folded(header: str) -> str:
    return re.sub(r"[^a-z0-9]", "", anyascii(header).casefold())
