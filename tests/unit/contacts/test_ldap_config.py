"""What an administrator may write about the directory."""

from __future__ import annotations

import pytest

from bluetel.ldap.attributes import Field, Schema, attribute_map
from bluetel.ldap.config import (
    Grant,
    GrantKind,
    LdapServer,
    Security,
    ldap_config,
    parse_groups,
    parse_servers,
)
from bluetel.ldap.errors import LdapSettingsError


def test_no_address_means_no_directory() -> None:
    assert ldap_config("  ") is None


def test_several_servers_are_taken_in_the_order_written() -> None:
    servers = parse_servers("ldaps://one.demo.test, ldaps://two.demo.test:1636\tldap://[::1]:3890")

    assert servers == (
        LdapServer("one.demo.test", 636, Security.LDAPS),
        LdapServer("two.demo.test", 1636, Security.LDAPS),
        LdapServer("::1", 3890, Security.PLAIN),
    )


@pytest.mark.parametrize(
    ("url", "security"),
    [
        pytest.param("ldap://127.0.0.1", Security.PLAIN, id="loopback"),
        pytest.param("ldap://localhost", Security.PLAIN, id="localhost"),
        pytest.param("ldap://directory.demo.test", Security.STARTTLS, id="a name"),
        pytest.param("ldap://10.0.0.5", Security.STARTTLS, id="a private address"),
        pytest.param("ldap://127.0.0.1.demo.test", Security.STARTTLS, id="a deceptive name"),
        pytest.param("ldap+starttls://127.0.0.1", Security.STARTTLS, id="asked for"),
        pytest.param("LDAPS://directory.demo.test", Security.LDAPS, id="capitals"),
    ],
)
def test_plain_ldap_stays_on_loopback(url: str, security: Security) -> None:
    assert parse_servers(url)[0].security is security


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({"url": "http://directory"}, "begins with", id="another scheme"),
        pytest.param({"url": "directory.demo.test"}, "begins with", id="no scheme"),
        pytest.param({"url": "ldaps://a:99999"}, "can't be read", id="no port"),
        pytest.param({"url": "ldaps://me:secret@a"}, "must not hold a login", id="a login"),
        pytest.param({"url": "ldaps://a/dc=demo"}, "setting of its own", id="a base"),
        pytest.param({"bind_dn": "cn=bluetel"}, "password", id="unauthenticated bind"),
        pytest.param({"person_filter": "objectClass=person"}, "filter", id="bare filter"),
        pytest.param({"person_filter": "(a=b)(c=d)"}, "filter", id="two filters"),
        pytest.param({"person_filter": "(&(a=b)"}, "filter", id="open filter"),
        pytest.param({"schema": "novell"}, "schema", id="unknown schema"),
        pytest.param({"attributes": "telephone=mobile"}, "not a field", id="unknown field"),
        pytest.param({"attributes": "work=a)(b"}, "must be written", id="no attribute"),
        pytest.param({"attributes": "work"}, "must be written", id="no equal sign"),
        pytest.param({"attributes": "id="}, "needs an attribute", id="no id"),
        pytest.param({"groups": "admins => staff"}, "GROUP DN", id="no DN"),
        pytest.param({"groups": "cn=a => superuser"}, "must be", id="superuser"),
        pytest.param({"groups": "cn=a => group:"}, "must be", id="nameless group"),
        pytest.param({"groups": "cn=a => staff:yes"}, "must be", id="named staff"),
        pytest.param({"groups": "cn=a => permission:x"}, "app.codename", id="bare permission"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(settings: dict[str, str], says: str) -> None:
    arguments = {"url": "ldaps://directory.demo.test", **settings}

    with pytest.raises(LdapSettingsError, match=says) as refused:
        ldap_config(arguments.pop("url"), **arguments)

    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_the_password_is_not_shown() -> None:
    config = ldap_config("ldaps://a", bind_dn="cn=bluetel", bind_password="hush-hush")

    assert "hush-hush" not in repr(config)


def test_groups_keep_the_commas_of_their_names() -> None:
    groups = parse_groups(
        "CN=Phone admins,OU=Groups,DC=demo => staff, group:Reception;"
        "cn=all,dc=demo=>sign-in, permission:calls.view_call;"
    )

    assert groups == (
        (
            "CN=Phone admins,OU=Groups,DC=demo",
            (Grant(GrantKind.STAFF), Grant(GrantKind.GROUP, "Reception")),
        ),
        (
            "cn=all,dc=demo",
            (Grant(GrantKind.SIGN_IN), Grant(GrantKind.PERMISSION, "calls.view_call")),
        ),
    )


def test_a_changed_field_leaves_the_others_alone() -> None:
    config = ldap_config("ldaps://a", attributes="extension=shortNumber+ipPhone, note=")
    assert config is not None

    attributes = attribute_map(Schema.OPENLDAP, config.attribute_changes)

    assert attributes[Field.EXTENSION] == ("shortNumber", "ipPhone")
    assert attributes[Field.NOTE] == ()
    assert attributes[Field.WORK] == ("telephoneNumber",)


@pytest.mark.parametrize("schema", [Schema.OPENLDAP, Schema.ACTIVE_DIRECTORY])
def test_fields_without_numbers_are_never_dialled(schema: Schema) -> None:
    attributes = attribute_map(schema, {})

    callable_names = set(attributes.names(Field.WORK, Field.MOBILE, Field.HOME, Field.EXTENSION))

    assert callable_names.isdisjoint(attributes.names(Field.FAX, Field.PAGER))
