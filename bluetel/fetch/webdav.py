"""CalDAV and CardDAV over the door: find collections, list what changed, read, write, delete.

A client belongs to one server (one origin): an href that leads to another host is not followed,
for the password was given for this one. Blocking; callers bring their own bounded threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bluetel.fetch.addresses import read_address
from bluetel.fetch.door import Door, refusal_of
from bluetel.fetch.errors import BadAnswer, FetchError, NotAllowed
from bluetel.fetch.exchange import Answer, Credentials
from bluetel.fetch.webdav_xml import (
    DAV,
    Kind,
    Multistatus,
    Resource,
    has_condition,
    multiget_body,
    normal_path,
    propfind_body,
    read_multistatus,
    sync_body,
)

BATCH = 100
"""Cards or events per multiget: some servers refuse more, and each batch can be stored at once."""

_PRINCIPAL = f"{DAV}current-user-principal"
_PRIVILEGES = f"{DAV}current-user-privilege-set"
_MAX_PAGES = 1000
_NO_SYNC_REPORT = {400, 404, 405, 415, 422, 501}
_WRITE_PRIVILEGES = {f"{DAV}{name}" for name in ("all", "write", "write-content", "bind")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """An address book or a calendar on the server."""

    url: str
    name: str
    kind: Kind
    is_writable: bool
    components: frozenset[str] = frozenset()
    """What a calendar may hold (``VEVENT``, ``VTODO``); empty: anything."""
    is_transparent: bool = False
    """Whether a calendar's owner said that it doesn't make him busy (RFC 6638 §9.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a collection's members are now (``is_complete``), or what changed since a token.

    ``etags`` maps the href of each new or changed member to its entity tag; ``removed`` are those
    that are gone. When the list is complete, every member not in ``etags`` is gone. ``token`` is
    for the next time; empty where the server keeps none, which makes every list complete.
    """

    etags: Mapping[str, str]
    removed: frozenset[str] = frozenset()
    token: str = ""
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One card or event as it is on the server."""

    href: str
    etag: str
    data: str = field(repr=False)


class ChangedMeanwhile(FetchError):
    """The condition of a write didn't hold (412): somebody else wrote or removed it first."""


class DavClient:
    """One user's access to one WebDAV server; ``max_seconds`` for an answer, else the door's."""

    def __init__(
        self,
        door: Door,
        url: str,
        *,
        kind: Kind,
        credentials: Credentials | None = None,
        max_seconds: float | None = None,
    ) -> None:
        self._door = door
        self._max_seconds = max_seconds
        self._start = read_address(url)
        self._kind = kind
        self._credentials = credentials

    # --- Finding ----------------------------------------------------------------------------

    def discover(self) -> list[Collection]:
        """The collections behind the address the user gave; empty when there are none.

        The address may be a collection itself, a principal, a home, or just the server: then its
        well-known address leads on (RFC 6764; DNS service records are not asked). Raises
        :class:`NotAllowed` with another ``origin`` when the server sends us to another host.
        """
        bare = urlsplit(self._start.path).path in {"", "/"}
        starts = [self._kind.well_known, "/"] if bare else [self._start.path, self._kind.well_known]
        problem: FetchError | None = None
        for start in starts:
            try:
                found = self._discover_from(start)
            except NotAllowed:
                raise
            except BadAnswer as error:
                problem = problem or error
                continue
            if found:
                return found
        if problem is not None:
            raise problem
        return []

    def _discover_from(self, start: str) -> list[Collection]:
        wanted = [_PRINCIPAL, self._kind.home, *self._collection_properties()]
        answer = self._propfind(start, wanted)
        here = answer.resources[0] if answer.resources else None
        if here is None:
            return []
        if collection := self._collection(here):
            return [collection]
        homes = here.hrefs(self._kind.home)
        if not homes:
            for principal in here.hrefs(_PRINCIPAL):
                person = self._propfind(self._own(principal), [self._kind.home])
                for resource in person.resources:
                    homes += resource.hrefs(self._kind.home)
        found: dict[str, Collection] = {}
        for home in homes or [here.href]:
            listed = self._propfind(self._own(home), self._collection_properties(), depth="1")
            for resource in listed.resources:
                if collection := self._collection(resource):
                    found.setdefault(collection.url, collection)
        return list(found.values())

    def _collection_properties(self) -> list[str]:
        names = [f"{DAV}resourcetype", f"{DAV}displayname", _PRIVILEGES]
        if self._kind is Kind.CALENDAR:
            names += [
                f"{self._kind.namespace}supported-calendar-component-set",
                f"{self._kind.namespace}schedule-calendar-transp",
            ]
        return names

    def _collection(self, resource: Resource) -> Collection | None:
        if not resource.has_type(self._kind.resource_type):
            return None
        path = self._own(resource.href)
        components = resource.properties.get(
            f"{self._kind.namespace}supported-calendar-component-set"
        )
        transparency = resource.properties.get(f"{self._kind.namespace}schedule-calendar-transp")
        privileges = resource.properties.get(_PRIVILEGES)
        return Collection(
            url=self._start.origin + path,
            name=resource.text(f"{DAV}displayname") or path.rstrip("/").rpartition("/")[2],
            kind=self._kind,
            # A server that doesn't tell is asked by trying.
            is_writable=privileges is None
            or any(element.tag in _WRITE_PRIVILEGES for element in privileges.iter()),
            components=frozenset(
                component.get("name", "").upper() for component in components or ()
            ),
            is_transparent=transparency is not None
            and transparency.find(f"{self._kind.namespace}transparent") is not None,
        )

    # --- Reading ----------------------------------------------------------------------------

    def changes(self, token: str = "") -> Changes:
        """What changed in the collection since ``token``.

        An empty, outdated or unknown token gives the complete list, and so does every call on a
        server without sync reports.
        """
        etags: dict[str, str] = {}
        removed: set[str] = set()
        since = token
        for _ in range(_MAX_PAGES):
            answer = self._request("REPORT", self._start.path, body=sync_body(since), depth="0")
            if answer.status != 207:
                return self._without_report(answer, token)
            page = self._read(answer)
            for resource in page.resources:
                if resource.status == 404:
                    removed.add(resource.href)
                    etags.pop(resource.href, None)
                elif self._is_member(resource):
                    removed.discard(resource.href)
                    etags[resource.href] = resource.text(f"{DAV}getetag")
            if not _is_cut(page) or not page.sync_token or page.sync_token == since:
                return Changes(
                    etags=etags,
                    removed=frozenset(removed),
                    token=page.sync_token,
                    is_complete=not token,
                )
            since = page.sync_token
        raise BadAnswer(507, "the list of changes doesn't end")

    def _without_report(self, answer: Answer, token: str) -> Changes:
        """Start anew after a refused token; list by PROPFIND where there is no such report."""
        if token and (
            answer.status in {403, 409, 410, 412, 507}
            or has_condition(answer.body, "valid-sync-token")
        ):
            return self.changes()
        if answer.status in _NO_SYNC_REPORT or (
            answer.status == 403 and has_condition(answer.body, "supported-report")
        ):
            return self.members()
        raise refusal_of(answer)

    def members(self) -> Changes:
        """The complete list, without a token."""
        listed = self._propfind(
            self._start.path, [f"{DAV}getetag", f"{DAV}resourcetype"], depth="1"
        )
        return Changes(
            etags={
                resource.href: resource.text(f"{DAV}getetag")
                for resource in listed.resources
                if self._is_member(resource) and not resource.has_type(f"{DAV}collection")
            },
            is_complete=True,
        )

    def fetch(self, hrefs: Sequence[str]) -> Iterator[list[Member]]:
        """These members in batches; one that is gone meanwhile is left out."""
        for start in range(0, len(hrefs), BATCH):
            batch = hrefs[start : start + BATCH]
            answer = self._request(
                "REPORT", self._start.path, body=multiget_body(self._kind, batch), depth="1"
            )
            if answer.status != 207:
                raise refusal_of(answer)
            yield [
                Member(
                    href=resource.href,
                    etag=resource.text(f"{DAV}getetag"),
                    data=(resource.properties[self._kind.data].text or ""),
                )
                for resource in self._read(answer).resources
                if self._kind.data in resource.properties
            ]

    # --- Writing ----------------------------------------------------------------------------

    def create(self, href: str, data: str) -> str:
        """Write a new member; raises :class:`ChangedMeanwhile` when something is there already.

        The answer is its entity tag; empty when the server changed what it was given, or doesn't
        say: it must then be read again (RFC 6352 §6.3.2.3).
        """
        return self._put(href, data, {"If-None-Match": "*"})

    def replace(self, href: str, data: str, *, etag: str) -> str:
        """Write over the version ``etag``; raises and answers like :meth:`create`.

        A member that is gone has changed, too, whatever the server calls it.
        """
        return self._put(href, data, {"If-Match": etag.removeprefix("W/")})

    def delete(self, href: str, *, etag: str) -> None:
        """Remove the version ``etag``; raises :class:`ChangedMeanwhile`. Gone already is fine."""
        answer = self._request(
            "DELETE", self._own(href), headers={"If-Match": etag.removeprefix("W/")}
        )
        if answer.status == 412:
            raise ChangedMeanwhile
        if answer.status not in {404, 410} and answer.status // 100 != 2:
            raise refusal_of(answer)

    def _put(self, href: str, data: str, condition: Mapping[str, str]) -> str:
        answer = self._request(
            "PUT",
            self._own(href),
            body=data.encode(),
            headers={**condition, "Content-Type": self._kind.content_type},
        )
        if answer.status == 412 or (answer.status in {404, 410} and "If-Match" in condition):
            raise ChangedMeanwhile
        if answer.status not in {200, 201, 204}:
            raise refusal_of(answer)
        return "" if answer.etag.startswith("W/") else answer.etag

    # --- Plumbing ---------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """The collection's own path, with a slash at its end."""
        return normal_path(self._start.path).rstrip("/") + "/"

    def _is_member(self, resource: Resource) -> bool:
        return (
            resource.status == 200
            and f"{DAV}getetag" in resource.properties
            and resource.href.startswith(self.path)
            and not resource.href.endswith("/")
        )

    def _own(self, href: str) -> str:
        """The path of an href on this server; raises :class:`NotAllowed` for another host's.

        The scheme is not compared: servers behind a proxy often write http for themselves.
        """
        parts = urlsplit(href)
        if parts.netloc:
            target = read_address(href)
            if target.host != self._start.host:
                raise NotAllowed(401, origin=target.origin)
        return parts.path

    def _propfind(self, path: str, names: Sequence[str], *, depth: str = "0") -> Multistatus:
        answer = self._request("PROPFIND", path, body=propfind_body(names), depth=depth)
        if answer.status != 207:
            raise refusal_of(answer)
        return self._read(answer)

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        depth: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if depth:
            sent["Depth"] = depth
            sent["Content-Type"] = "application/xml; charset=utf-8"
        answer = self._door.request(
            method,
            self._start.origin + path,
            headers=sent,
            body=body,
            credentials=self._credentials,
            max_seconds=self._max_seconds,
        )
        origin = read_address(answer.url).origin
        if origin != self._start.origin:
            # Redirected, without the password: paths in this answer aren't our server's.
            raise NotAllowed(401, origin=origin)
        return answer

    def _read(self, answer: Answer) -> Multistatus:
        try:
            return read_multistatus(answer.body)
        except ValueError as error:
            raise BadAnswer(answer.status, str(error)) from None


def _is_cut(page: Multistatus) -> bool:
    """Whether the server left some out: it says 507 for the collection itself (RFC 6578 §3.6)."""
    return any(resource.status == 507 for resource in page.resources)
