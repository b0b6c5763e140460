"""An entry becomes a person."""

from __future__ import annotations

import uuid
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.ldap.attributes import Schema, attribute_map
from bluetel.ldap.entries import Entry
from contacts.ldap.person import LdapPerson, Photo, common_name, is_dn, person_of

OPENLDAP = attribute_map(Schema.OPENLDAP, {})
ACTIVE_DIRECTORY = attribute_map(Schema.ACTIVE_DIRECTORY, {})


def openldap(**values: str | bytes | list[str | bytes]) -> LdapPerson | None:
    return person_of(
        _entry({"entryUUID": "7F3A-1", "cn": "Inès Morvan", **values}),
        attributes=OPENLDAP,
        photo_limit=1000,
    )


def _entry(values: dict[str, str | bytes | list[str | bytes]]) -> Entry:
    lists = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    return Entry(
        "uid=ines,dc=demo,dc=test",
        {
            name.lower(): tuple(v if isinstance(v, bytes) else v.encode() for v in several)
            for name, several in lists.items()
        },
    )


def test_numbers_come_with_the_labels_of_the_contact_base() -> None:
    person = openldap(
        telephoneNumber=["01 99 00 42 17", "1005"],
        mobile="+33 6 39 98 12 08",
        homePhone="02.61.91.44.50",
        facsimileTelephoneNumber="01 99 00 42 18",
        pager="7701",
    )

    assert person is not None
    assert person.numbers == (
        ("work", "01 99 00 42 17"),
        ("work", "1005"),
        ("mobile", "+33 6 39 98 12 08"),
        ("home", "02.61.91.44.50"),
        ("fax", "01 99 00 42 18"),
        ("pager", "7701"),
    )


def test_active_directory_has_second_numbers_in_attributes_of_their_own() -> None:
    guid = uuid.UUID("11223344-5566-7788-99aa-bbccddeeff00")
    person = person_of(
        _entry(
            {
                "objectGUID": guid.bytes_le,
                "displayName": "Inès Morvan",
                "telephoneNumber": "+33 1 99 00 42 17",
                "otherTelephone": ["+33 1 99 00 42 19"],
                "ipPhone": "sip:1005@pbx.demo.test",
                "otherMobile": "06 39 98 12 09",
                "uSNChanged": "4711",
            }
        ),
        attributes=ACTIVE_DIRECTORY,
        photo_limit=1000,
        authority="dc1",
    )

    assert person is not None
    assert person.id == str(guid)
    assert person.marker == "dc1:4711"
    assert person.numbers == (
        ("work", "+33 1 99 00 42 17"),
        ("work", "+33 1 99 00 42 19"),
        ("mobile", "06 39 98 12 09"),
        ("extension", "1005"),
    )


@pytest.mark.parametrize(
    ("values", "name"),
    [
        pytest.param({"displayName": "Inès M."}, "Inès M.", id="display name"),
        pytest.param({"displayName": " "}, "Inès Morvan", id="blank display name"),
        pytest.param({"cn": "", "givenName": "Inès", "sn": "Morvan"}, "Inès Morvan", id="parts"),
        pytest.param({"cn": "", "o": "Ateliers Brossard"}, "Ateliers Brossard", id="company"),
        pytest.param({"cn": "", "mail": "i@demo.test"}, "i@demo.test", id="e-mail"),
    ],
)
def test_there_is_a_name_to_show(values: dict[str, str], name: str) -> None:
    person = openldap(**values)

    assert person is not None
    assert person.name == name


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"cn": ""}, id="no name"),
        pytest.param({"entryUUID": ""}, id="no id"),
    ],
)
def test_who_has_no_name_or_no_id_is_nobody(values: dict[str, str]) -> None:
    assert openldap(**values) is None


def test_names_of_strangers_are_made_safe() -> None:
    person = openldap(cn="In\u202eès\r\nMorvan\0" + "x" * 5000, description="a\u0007b")

    assert person is not None
    assert person.name.startswith("Inès Morvan")
    assert len(person.name) == 200
    assert person.note == "ab"


@pytest.mark.parametrize(
    ("data", "photo"),
    [
        pytest.param(b"\xff\xd8\xff\xe0jpeg", "image/jpeg", id="JPEG"),
        pytest.param(b"\x89PNG\r\n\x1a\nrest", "image/png", id="PNG"),
        pytest.param(b"<svg onload=alert(1)>", None, id="not a picture"),
        pytest.param(b"\xff\xd8\xff" + bytes(2000), None, id="too big"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_only_pictures_of_a_bounded_size_are_kept(data: bytes, photo: str | None) -> None:
    person = openldap(jpegPhoto=data)

    assert person is not None
    assert person.photo == (Photo(photo, data) if photo else None)


def test_a_number_without_digits_is_none() -> None:
    person = openldap(telephoneNumber=["ask at the desk", "1005"])

    assert person is not None
    assert person.numbers == (("work", "1005"),)


@pytest.mark.parametrize(
    ("dn", "name"),
    [
        pytest.param(r"CN=Morvan\, Inès,OU=People,DC=demo", "Morvan, Inès", id="escaped comma"),
        pytest.param(r"cn=In\C3\A8s Morvan,dc=demo", "Inès Morvan", id="hex bytes"),
        pytest.param("cn=Inès+uid=i,dc=demo", "Inès", id="two parts"),
        pytest.param("uid=ines,dc=demo", "", id="no name in it"),
        pytest.param("Inès Morvan", "Inès Morvan", id="no DN"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_manager_is_a_name(dn: str, name: str) -> None:
    assert common_name(dn) == name


def test_a_manager_known_by_number_is_asked_for() -> None:
    entry = _entry({"entryUUID": "1", "cn": "Tom", "manager": "uid=ines,dc=demo,dc=test"})

    person = person_of(
        entry,
        attributes=OPENLDAP,
        photo_limit=0,
        name_of={"uid=ines,dc=demo,dc=test": "Inès"}.__getitem__,
    )

    assert person is not None
    assert person.manager == "Inès"


@given(
    st.dictionaries(
        st.sampled_from(sorted({name.lower() for name in OPENLDAP.names()})),
        st.lists(st.binary(max_size=80), max_size=3).map(tuple),
    )
)
def test_no_bytes_of_a_directory_break_the_reading(
    attributes: dict[str, tuple[bytes, ...]],
) -> None:
    person = person_of(Entry("uid=x", attributes), attributes=OPENLDAP, photo_limit=50)

    assert person is None or (person.id and person.name and asdict(person))


@given(st.text())
def test_any_text_may_stand_for_a_manager(text: str) -> None:
    assert is_dn(text) or common_name(text) == text
