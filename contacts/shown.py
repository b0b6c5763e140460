"""People as lists show them: an entry each, with the state of who uses BlueTel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contacts.finding import find_people
from contacts.people import people_of
from contacts.selectors import contacts_by_id
from contacts.shelf import shelf_of
from presence.selectors import records_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bluetel.accounts.models import User
    from contacts.entries import Entry
    from presence.messages import PersonRecord


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with the state of who uses BlueTel."""

    entry: Entry
    presence: PersonRecord | None


Part = tuple[list[Shown], dict[str, object]]
"""The people of a list and what else its template is given."""


def shown_by_search(user: User, text: str, book: int | None = None) -> Part:
    """Who is found by a text, for ``contacts/_found.html``. Never waits for a directory."""
    finding = find_people(user, text, book=book)
    presence = presence_of(user, finding.people)
    return [Shown(one, presence.get(one.user_id or "")) for one in finding.people], {
        "sources": finding.sources,
        "is_cut": finding.is_cut,
        "is_searching": any(source["state"] == "searching" for source in finding.sources),
    }


def presence_of(user: User, entries: Iterable[Entry]) -> dict[str, PersonRecord]:
    """The states of those among them who use BlueTel, as ``user`` may see them."""
    users = {entry.user_id for entry in entries if entry.user_id}
    return records_for(user, users) if users else {}


def first_numbers(user: User, others: Collection[str]) -> dict[str, str]:
    """What ``user`` dials first to reach these users, by their ids, if he can dial any."""
    if not others:
        return {}
    shelf = shelf_of(user)
    contacts = contacts_by_id([f"user-{other}" for other in others], shelf)
    people = people_of(contacts.values(), shelf, viewer=user)
    return {one.user_id: one.numbers[0].entered for one in people if one.user_id and one.numbers}
