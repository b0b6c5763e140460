"""Who is behind a number: for calls, call lists and voice messages.

A number finds whoever has it in any writing; the index on :attr:`contacts.models.Line.digits`
answers, whose first digits are the country's. Only books that the reader may see are asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from django.conf import settings

from bluetel.calls.callers import Caller
from bluetel.rows import places, rows_of
from contacts.models import Line
from contacts.people import people_of
from contacts.shelf import shelf_of
from contacts.writings import identity_of

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.rules import Person
    from contacts.shelf import Shelf

SHARED_BY: Final = 8
"""So many contacts of one number are read at most: a switchboard's is everybody's."""
_KNOWN: Final = "SELECT 1 FROM contacts_line WHERE digits IN ({}) AND is_callable LIMIT 1"
MOST_INTERNAL: Final = 6
"""Digits of the longest extension: a shorter number is never completed."""


def caller_of(viewer: User, number: str) -> Caller | None:
    """Whom ``viewer`` knows by this number; None when nobody."""
    return callers_of(viewer, [number]).get(number)


def callers_of(viewer: User, numbers: Iterable[str]) -> dict[str, Caller]:
    """Whom ``viewer`` knows by each of these numbers, as they came from the PBX or were typed.

    Of several people who share a number, the one in the viewer's own books is meant; else nobody
    in particular, and the caller has the name of the company if they all have the same.
    """
    country: str = settings.COUNTRY
    wanted = {number: writings(number, country) for number in set(numbers)}
    digits = {one for some in wanted.values() for one in some}
    # Most numbers are in nobody's book: one look at the index, before the reader's books are read.
    if not digits or not rows_of(_KNOWN.format(places(digits)), [*digits]):
        return {}
    shelf = shelf_of(viewer)
    by_digits = _contacts_by_digits(digits, shelf)
    found: dict[str, Caller] = {}
    for number, some in wanted.items():
        contacts = next((by_digits[one] for one in some if one in by_digits), ())
        people = people_of(contacts, shelf, viewer=viewer) if contacts else ()
        # Not whose extension it is on another PBX.
        caller = _meant([who for who in people if any(one.identity in some for one in who.numbers)])
        if caller is not None:
            found[number] = caller
    return found


def _contacts_by_digits(digits: Collection[str], shelf: Shelf) -> Mapping[str, list[int]]:
    rows = Line.objects.filter(book__in=shelf.ids, digits__in=digits, is_callable=True)
    found: dict[str, list[int]] = defaultdict(list)
    for one, contact in rows.order_by("digits", "contact").values_list("digits", "contact"):
        if len(found[one]) < SHARED_BY:
            found[one].append(contact)
    return found


def writings(number: str, country: str) -> Sequence[str]:
    """The digits that may identify a caller's number, the likeliest first.

    Exchanges send "+33 1…", "0033 1…" and "01…", and some leave out the sign or the zero.
    """
    plain = "".join(filter(str.isdecimal, number))
    others: tuple[str, ...] = ()
    if len(plain) > MOST_INTERNAL and not number.startswith(("+", "0")):
        others = (identity_of(f"+{plain}", country), identity_of(f"0{plain}", country))
    return tuple(dict.fromkeys(one for one in (identity_of(number, country), *others) if one))


def _meant(people: Sequence[Person]) -> Caller | None:
    if not people:
        return None
    own = [person for person in people if person.is_own]
    if len(own) == 1 or len(people) == 1:
        person = (own or people)[0]
        return Caller(person.name, person.contact_id or "")
    companies = {person.more for person in people}
    company = companies.pop() if len(companies) == 1 else ""
    return Caller(company, "") if company else None
