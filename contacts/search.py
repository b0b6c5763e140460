"""One question to every place that knows people; answers at once with what is known by then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypedDict

from django.conf import settings

from contacts import rules
from contacts.ldap.live import LdapDirectory
from contacts.pbx_directory import PbxDirectory
from contacts.sources import MAX_ROWS, Source
from contacts.stored import StoredContacts
from presence.selectors import records_for

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from presence.messages import Im, PersonRecord, Phone

SOURCES: Final[tuple[Source, ...]] = (StoredContacts(), LdapDirectory(), PbxDirectory())
"""Every place that is asked, the most trusted first; a new kind of book adds itself here."""

StatesOf = Callable[["User", Iterable[str]], Mapping[str, "PersonRecord"]]


class SearchRow(TypedDict):
    """One callable number; ``phone`` and ``im`` are there for BlueTel users."""

    contact_id: str | None
    name: str
    number: str
    shown: str
    label: str
    kind: str
    source: str
    sources: list[str]
    user_id: str | None
    phone: Phone | None
    im: Im | None


class SourceState(TypedDict):
    """A place that was asked, and how far it is."""

    name: str
    state: str


class SearchAnswer(TypedDict):
    """What is known now; a source still ``searching`` has its rows when it is asked again."""

    results: list[SearchRow]
    sources: list[SourceState]


def search(
    viewer: User,
    text: str,
    *,
    sources: Sequence[Source] = SOURCES,
    states_of: StatesOf = records_for,
) -> SearchAnswer:
    """At most 50 rows for ``text``, best first. Never waits and never fails for what is far away.

    ``states_of`` gives the presence of users by id, as the viewer may see it.
    """
    asked = rules.question(text)
    if asked is None:
        return SearchAnswer(results=[], sources=[])
    rows, states = rows_for(viewer, asked, sources=sources)
    users = {row.person.user_id for row in rows if row.person.user_id}
    presence = states_of(viewer, users) if users else {}
    return SearchAnswer(results=[_record(row, presence) for row in rows], sources=states)


def rows_for(
    viewer: User, asked: rules.Question, *, sources: Sequence[Source] = SOURCES
) -> tuple[list[rules.Row], list[SourceState]]:
    """The rows that answer, best first, and how far each source is."""
    country: str = settings.COUNTRY
    ranked: list[tuple[rules.Match, rules.Row]] = []
    states: list[SourceState] = []
    called: dict[str, float] = {}
    for source in sources:
        found = source.search(viewer, asked, nobody_yet=not ranked)
        if found is None:
            continue
        name = source.name
        states.append(SourceState(name=name, state=found.state.value))
        called.update(found.called)
        ranked += rules.rows_of(asked, found.people, source=name, country=country, called=called)
    return rules.merged(ranked, limit=MAX_ROWS), states


def _record(row: rules.Row, presence: Mapping[str, PersonRecord]) -> SearchRow:
    person, number = row.person, row.number
    state = presence.get(person.user_id) if person.user_id else None
    return {
        "contact_id": person.contact_id,
        "name": person.name,
        "number": number.entered,
        "shown": number.shown,
        "label": number.label,
        "kind": row.kind.value,
        "source": row.sources[0],
        "sources": list(row.sources),
        "user_id": person.user_id,
        "phone": state["phone"] if state else None,
        "im": state["im"] if state else None,
    }
