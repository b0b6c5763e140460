"""WebDAV's XML, written and read: RFC 4918, 6578 (sync), 4791 (CalDAV), 6352 (CardDAV).

Pure functions over bytes. Answers are read with defusedxml: no document types, no entities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import (
    Element,
    ParseError,
    SubElement,
    tostring,
)

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

DAV = "{DAV:}"
CALENDAR_SERVER = "{http://calendarserver.org/ns/}"
_SAFE_IN_PATH = ":@!$&'()*+,;=-._~"


class Kind(Enum):
    """What a collection holds, with all that differs between the two protocols."""

    ADDRESS_BOOK = "carddav"
    CALENDAR = "caldav"

    @property
    def namespace(self) -> str:
        """The protocol's XML namespace in ElementTree's braces."""
        name = "carddav" if self is Kind.ADDRESS_BOOK else "caldav"
        return f"{{urn:ietf:params:xml:ns:{name}}}"

    @property
    def well_known(self) -> str:
        """Where a server says where its data are (RFC 6764)."""
        return f"/.well-known/{self.value}"

    @property
    def home(self) -> str:
        """The property that leads from a person to his collections."""
        name = "addressbook" if self is Kind.ADDRESS_BOOK else "calendar"
        return f"{self.namespace}{name}-home-set"

    @property
    def resource_type(self) -> str:
        """What marks a collection of this kind."""
        name = "addressbook" if self is Kind.ADDRESS_BOOK else "calendar"
        return f"{self.namespace}{name}"

    @property
    def data(self) -> str:
        """The property that holds a card or an event itself."""
        name = "address-data" if self is Kind.ADDRESS_BOOK else "calendar-data"
        return f"{self.namespace}{name}"

    @property
    def multiget(self) -> str:
        """The report that fetches many at once."""
        name = "addressbook" if self is Kind.ADDRESS_BOOK else "calendar"
        return f"{self.namespace}{name}-multiget"

    @property
    def content_type(self) -> str:
        """The media type of what is written."""
        name = "vcard" if self is Kind.ADDRESS_BOOK else "calendar"
        return f"text/{name}; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One ``response`` of a multistatus.

    ``href`` is a normalised path, or a whole address when it is another host's. ``status`` is the
    response's own (404 in a sync report: it was removed) or 200; ``properties`` holds those the
    server found.
    """

    href: str
    status: int
    properties: Mapping[str, Element]

    def text(self, name: str) -> str:
        """The property's text, or the empty string."""
        element = self.properties.get(name)
        return (element.text or "").strip() if element is not None else ""

    def hrefs(self, name: str) -> list[str]:
        """The addresses inside a property such as a home set."""
        element = self.properties.get(name)
        if element is None:
            return []
        return [
            normal_path(found.text.strip())
            for found in element.iter(f"{DAV}href")
            if found.text and found.text.strip()
        ]

    def has_type(self, name: str) -> bool:
        """Whether its resource type names this element."""
        element = self.properties.get(f"{DAV}resourcetype")
        return element is not None and element.find(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Multistatus:
    """A whole 207 answer; ``sync_token`` is empty but in a sync report."""

    resources: Sequence[Resource]
    sync_token: str = ""


def normal_path(href: str) -> str:
    """An href with one spelling of percent-escapes, so that it can be compared.

    Servers write ``/a%40b/`` and ``/a@b/`` for the same thing, sometimes in one answer.
    """
    parts = urlsplit(href)
    path = "/".join(_one_spelling(segment) for segment in parts.path.split("/"))
    return f"{parts.scheme}://{parts.netloc}{path}" if parts.netloc else path


def _one_spelling(segment: str) -> str:
    plain = unquote(segment, errors="surrogateescape")
    return quote(plain, safe=_SAFE_IN_PATH, errors="surrogateescape")


def propfind_body(properties: Iterable[str]) -> bytes:
    """A PROPFIND for these properties."""
    root = Element(f"{DAV}propfind")
    _prop(root, properties)
    return _written(root)


def sync_body(token: str, *, limit: int | None = None) -> bytes:
    """A sync-collection REPORT since ``token``; the empty token asks for everything."""
    root = Element(f"{DAV}sync-collection")
    SubElement(root, f"{DAV}sync-token").text = token
    SubElement(root, f"{DAV}sync-level").text = "1"
    if limit is not None:
        SubElement(SubElement(root, f"{DAV}limit"), f"{DAV}nresults").text = str(limit)
    _prop(root, [f"{DAV}getetag"])
    return _written(root)


def multiget_body(kind: Kind, hrefs: Iterable[str]) -> bytes:
    """A multiget REPORT of these hrefs with their entity tags."""
    root = Element(kind.multiget)
    _prop(root, [f"{DAV}getetag", kind.data])
    for href in hrefs:
        SubElement(root, f"{DAV}href").text = href
    return _written(root)


def read_multistatus(body: bytes) -> Multistatus:
    """A 207 body; raises ValueError when it isn't one."""
    root = _parsed(body)
    if root.tag != f"{DAV}multistatus":
        raise ValueError("not a multistatus")
    resources = [_resource(element) for element in root.iter(f"{DAV}response")]
    return Multistatus(
        resources=[resource for resource in resources if resource.href],
        sync_token=(root.findtext(f"{DAV}sync-token") or "").strip(),
    )


def has_condition(body: bytes, name: str) -> bool:
    """Whether an error answer names this precondition, such as ``valid-sync-token``."""
    try:
        return _parsed(body).find(f".//{DAV}{name}") is not None
    except ValueError:
        return False


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise ValueError("unreadable XML") from error
    return root


def _resource(response: Element) -> Resource:
    properties: dict[str, Element] = {}
    for propstat in response.iter(f"{DAV}propstat"):
        if _status(propstat, default=200) // 100 == 2:
            for prop in propstat.iterfind(f"{DAV}prop/*"):
                properties[prop.tag] = prop
    return Resource(
        href=normal_path((response.findtext(f"{DAV}href") or "").strip()),
        status=_status(response, default=200),
        properties=properties,
    )


def _status(element: Element, *, default: int) -> int:
    """The number in ``HTTP/1.1 404 Not Found``."""
    words = (element.findtext(f"{DAV}status") or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else default


def _prop(root: Element, properties: Iterable[str]) -> None:
    prop = SubElement(root, f"{DAV}prop")
    for name in properties:
        SubElement(prop, name)


def _written(root: Element) -> bytes:
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written
