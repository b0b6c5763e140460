"""Everybody's newest state and the PBXs' links, from the rows, as the engine last wrote them.

None of it is honest by itself: whose PBX is heard, the links tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.once import once
from bluetel.rows import moment, one_of, rows_of
from bluetel.work.leases import ENGINE, TTL
from presence.messages import Known, known_of
from presence.models import STATE_COLUMNS
from presence.person import EPOCH_BITS, Keeper, Person
from presence.rules import ImState, PhoneState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A PBX's link as its row says; ``is_up`` counts while the engine that wrote it lives."""

    pbx: int
    is_up: bool
    since: datetime
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Which PBXs are heard now; ``silent_since`` is set while no engine is on duty."""

    by_pbx: dict[int, Link]
    epoch: int
    silent_since: datetime | None

    def down_since(self, pbx: int) -> datetime | None:
        """Since when a PBX is not heard; None while it is."""
        if self.silent_since is not None:
            return self.silent_since
        link = self.by_pbx.get(pbx)
        if link is None:
            return BEFORE_ALL
        if link.is_up and link.revision >> EPOCH_BITS == self.epoch:
            return None
        return link.since


BEFORE_ALL = datetime.fromtimestamp(0, tz=timezone.get_fixed_timezone(0))


def known(users: QuerySet[User]) -> list[Known]:
    """The states of these users as they were last known, without regard to the links."""
    return [known_of(person) for person in persons(users)]


def persons(users: QuerySet[User]) -> list[Person]:
    """The same as the board holds them; who has no row yet is unknown, or has no phone."""
    rows = users.values_list(
        "pk",
        "extension",
        "first_name",
        "last_name",
        "username",
        "pbx_id",
        *(f"presence_state__{name}" for name in STATE_COLUMNS),
    )
    return [_met_as(*row).person for row in rows.iterator(chunk_size=2000)]


def everybody() -> tuple[list[Known], int]:
    """All people, those without a row too, and the newest revision among the rows."""
    found = known(User.objects.filter(is_active=True))
    return found, max((one["revision"] for one in found), default=0)


def changed_since(revision: int) -> tuple[list[Known], int]:
    """States written after ``revision``, and the newest revision among the rows.

    The engine alone writes them, in the order of their revisions.
    """
    users = User.objects.filter(is_active=True, presence_state__revision__gt=revision)
    found = known(users)
    return found, max((one["revision"] for one in found), default=revision)


class Met(NamedTuple):
    """Somebody as he was last known, and where to call him."""

    person: Person
    extension: str


def meet(viewer: User | AnonymousUser, ids: Iterable[int]) -> dict[int, Met]:
    """These people who are not disabled, by id; who looks is read along, for all pages show him."""
    wanted, met = dict.fromkeys(ids), _met()
    if not wanted.keys() <= met.keys():
        new = {pk for pk in (*wanted, viewer.pk) if pk is not None and pk not in met}
        met |= dict.fromkeys(new)
        if new:
            among, numbers = one_of(new)
            rows = rows_of(f"{_PEOPLE} AND person.id {among}", numbers)
            met |= {row[0]: _met_as(*row) for row in rows}
    return {pk: one for pk in wanted if (one := met[pk]) is not None}


_PEOPLE = (
    "SELECT person.id, extension, first_name, last_name, username, pbx_id, "  # noqa: S608
    + ", ".join(STATE_COLUMNS)
    + " FROM accounts_user AS person LEFT JOIN presence_personstate AS state"
    " ON state.user_id = person.id WHERE person.is_active"
)


@once
def _met() -> dict[int, Met | None]:
    """Whom this page has asked about already, None for nobody."""
    return {}


def _met_as(
    pk: int, extension: str, first: str, last: str, username: str, pbx: int | None, *state: Any
) -> Met:
    """Somebody out of his row, with that of his state if he has one."""
    name = f"{first} {last}".strip() or username
    phone, im, message, keeper, is_there, phone_since, im_since, revision = state
    if revision is None:
        return Met(nobody(str(pk), name, pbx), extension)
    person = Person(
        user_id=str(pk),
        name=name,
        pbx=pbx,
        phone=PhoneState(phone),
        im=ImState(im),
        message=message,
        keeper=Keeper(keeper),
        is_there=is_there,
        phone_since=moment(phone_since) if phone_since else None,
        im_since=moment(im_since) if im_since else None,
        revision=revision,
    )
    return Met(person, extension)


def nobody(user_id: str, name: str, pbx: int | None) -> Person:
    """Somebody the engine has not written about yet."""
    return Person(
        user_id=user_id,
        name=name,
        pbx=pbx,
        phone=PhoneState.OFFLINE if pbx is None else PhoneState.UNKNOWN,
        im=ImState.OFFLINE if pbx is None else ImState.UNKNOWN,
    )


def read_links(*, now: datetime) -> Links:
    """All PBXs' links, and whether an engine is on duty."""
    rows = _link_rows()
    epoch, renewed_at = rows[0][:2]
    silent_since = None
    if renewed_at is None:
        silent_since = BEFORE_ALL
    elif now - moment(renewed_at) > TTL:
        silent_since = moment(renewed_at)
    links = [
        Link(pbx=pbx, is_up=bool(is_up), since=moment(since), revision=revision)
        for *_, pbx, is_up, since, revision in rows
        if pbx is not None
    ]
    return Links(
        by_pbx={link.pbx: link for link in links}, epoch=epoch or 0, silent_since=silent_since
    )


@once
def _link_rows() -> Sequence[tuple[Any, ...]]:
    """The engine's lease beside each PBX's link: one row at least, however much is missing."""
    return rows_of(
        "SELECT lease.epoch, lease.renewed_at, link.pbx_id, link.is_up, link.since, link.revision"
        " FROM (SELECT 1 AS one) AS always LEFT JOIN work_lease AS lease ON lease.name = %s"
        " LEFT JOIN presence_pbxlink AS link ON 1 = 1",
        [ENGINE],
    )
