from __future__ import annotations

import pytest

from bluetel.fetch.webdav_xml import (
    DAV,
    Kind,
    has_condition,
    multiget_body,
    normal_path,
    propfind_body,
    read_multistatus,
    sync_body,
)

ANSWER = b"""<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">
  <d:response>
    <d:href>/books/a%40b/one.vcf</d:href>
    <d:propstat>
      <d:prop><d:getetag>"1"</d:getetag><d:resourcetype><d:collection/></d:resourcetype></d:prop>
      <d:status>HTTP/1.1 200 OK</d:status>
    </d:propstat>
    <d:propstat>
      <d:prop><d:displayname/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status>
    </d:propstat>
  </d:response>
  <d:response>
    <d:href>/books/a@b/two.vcf</d:href><d:status>HTTP/1.1 404 Not Found</d:status>
  </d:response>
  <d:response>
    <d:href>/me/</d:href>
    <d:propstat>
      <d:prop>
        <c:addressbook-home-set><d:href> /books/%61@b/ </d:href></c:addressbook-home-set>
      </d:prop>
    </d:propstat>
  </d:response>
  <d:sync-token>http://x.test/sync/5</d:sync-token>
</d:multistatus>"""


def test_a_multistatus_gives_found_properties_removals_and_the_token() -> None:
    answer = read_multistatus(ANSWER)
    one, two, person = answer.resources

    assert (one.href, one.status, one.text(f"{DAV}getetag")) == ("/books/a@b/one.vcf", 200, '"1"')
    assert one.has_type(f"{DAV}collection")
    assert f"{DAV}displayname" not in one.properties
    assert (two.href, two.status) == ("/books/a@b/two.vcf", 404)
    assert person.hrefs(Kind.ADDRESS_BOOK.home) == ["/books/a@b/"]
    assert answer.sync_token == "http://x.test/sync/5"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b"<a/>", id="another-document"),
        pytest.param(b"\xff\xfe<a", id="broken-encoding"),
        pytest.param(b'<?xml version="1.0" encoding="nonsense"?><a/>', id="unknown-encoding"),
        pytest.param(
            b'<!DOCTYPE m [<!ENTITY a "b">]><d:multistatus xmlns:d="DAV:">&a;</d:multistatus>',
            id="entities",
        ),
        pytest.param(
            b'<!DOCTYPE m SYSTEM "file:///etc/passwd"><d:multistatus xmlns:d="DAV:"/>',
            id="outside-document-type",
        ),
    ],
)
def test_what_is_no_multistatus_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"XML|multistatus"):
        read_multistatus(body)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        pytest.param("/a%40b/%C3%A9.vcf", "/a@b/%C3%A9.vcf", id="escapes"),
        pytest.param("/a b/é", "/a%20b/%C3%A9", id="unescaped"),
        pytest.param("/a%2Fb/c", "/a%2Fb/c", id="slash-in-a-name-stays"),
        pytest.param("/%ff", "/%FF", id="not-utf-8"),
        pytest.param("http://x.test:80/%61", "http://x.test:80/a", id="whole-address"),
    ],
)
def test_a_path_has_one_spelling(written: str, normal: str) -> None:
    assert normal_path(written) == normal
    assert normal_path(normal) == normal


def test_a_missing_precondition_is_recognised() -> None:
    body = b'<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'

    assert has_condition(body, "valid-sync-token")
    assert not has_condition(body, "supported-report")
    assert not has_condition(b"<html>Sorry", "valid-sync-token")


def test_hostile_hrefs_and_tokens_are_escaped() -> None:
    assert b"&lt;b&gt;" in sync_body("<b>")
    assert b"&amp;" in multiget_body(Kind.CALENDAR, ["/a&b.ics"])
    assert b"getetag" in propfind_body([f"{DAV}getetag"])
