"""Reading who is there, from the rows; the same for pages, API, search and hub.

Whatever leaves here has already been made honest: people of a PBX that is not heard, or whose
engine has fallen silent, read unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from django.conf import settings
from django.db.models import Count, Max
from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.once import once
from bluetel.rows import moment, places, rows_of
from bluetel.work.leases import ENGINE, TTL
from presence.board import EPOCH_BITS, Keeper, Person
from presence.messages import (
    Known,
    PersonRecord,
    honest_record,
    iso,
    known_of,
    record_of,
    visible_record,
)
from presence.models import (
    STATE_COLUMNS,
    AudienceChoice,
    Claim,
    Favourite,
    Group,
    GroupMember,
)
from presence.privacy import Audience, PrivacyBook
from presence.rules import ImDecision, ImState, PhoneState, resolve_im

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

TEAM_SIZE = 50

Watch = list[str] | Literal["team", "all"]


class PresenceAnswer(TypedDict):
    """People and the revision they are at."""

    revision: int
    people: list[PersonRecord]


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
            return _BEFORE_ALL
        if link.is_up and link.revision >> EPOCH_BITS == self.epoch:
            return None
        return link.since


_BY_NAME = ("person__first_name", "person__last_name", "person__username")
_BEFORE_ALL = datetime.fromtimestamp(0, tz=timezone.get_fixed_timezone(0))


def people(viewer: User | AnonymousUser, *, watch: Watch = "all") -> PresenceAnswer:
    """The people ``viewer`` asks for, by name: a list of ids, his team, or everybody."""
    if watch == "all":
        found = known(User.objects.filter(is_active=True))
    else:
        ids = team_ids(viewer) if watch == "team" else watch
        found = [known_of(one.person) for one in meet(viewer, _numbers(ids)).values()]
    links = read_links(now=timezone.now())
    show = _shower(viewer, links)
    records = [show(one) for one in found]
    records.sort(key=lambda record: (record["name"].casefold(), record["user_id"]))
    newest = [one["revision"] for one in found] + [link.revision for link in links.by_pbx.values()]
    return PresenceAnswer(revision=max(newest, default=0), people=records)


def records_for(
    viewer: User | AnonymousUser, user_ids: Iterable[int | str]
) -> dict[str, PersonRecord]:
    """What ``viewer`` sees of these users, by id; who doesn't exist or is disabled is left out."""
    met = meet(viewer, _numbers(map(str, user_ids)))
    show = _shower(viewer, read_links(now=timezone.now()), tuple(met))
    return {str(pk): show(known_of(one.person)) for pk, one in met.items()}


def my_record(user: User) -> PersonRecord:
    """How this user himself is seen by who may see everything."""
    links = read_links(now=timezone.now())
    met = meet(user, [user.pk]).get(user.pk)
    if met is not None:
        return _honest(known_of(met.person), links)
    return record_of(_nobody(str(user.pk), user.display_name, None))


class StatusAnswer(PersonRecord):
    """Somebody's own status: why it holds, and until when this reason does."""

    source: Literal["manual", "calendar", "idle", "session"]
    until: str | None


def decide_im(user: User, *, now: datetime) -> ImDecision:
    """Somebody's own chat status at ``now``, as the claims on it say."""
    met = meet(user, [user.pk]).get(user.pk)
    return resolve_im(im_claims_of(user.pk), now, is_there=met is not None and met.person.is_there)


@once
def im_claims_of(user_id: int) -> Sequence[Claim]:
    """The claims on somebody's chat status."""
    return list(Claim.objects.filter(user=user_id, axis=Claim.Axis.IM))


def my_status(user: User, *, now: datetime) -> StatusAnswer:
    """How colleagues see this user as soon as everything has heard of his claims."""
    record, decision = my_record(user), decide_im(user, now=now)
    winner = decision.winner
    if winner is not None or record["im"] != "unknown":
        record["im"] = decision.status.value
        record["message"] = decision.message
    if winner is not None:
        record["im_since"] = iso(winner.starts)
        record["since"] = max(filter(None, (record["phone_since"], record["im_since"])))
    return StatusAnswer(**record, source=decision.source.value, until=iso(decision.until))


def pbx_down_since(user: User) -> datetime | None:
    """Since when the user's PBX is not heard; None while it is, and for who has no PBX."""
    if user.pbx_id is None:
        return None
    since = read_links(now=timezone.now()).down_since(user.pbx_id)
    return timezone.now() if since == _BEFORE_ALL else since


@once
def favourite_ids(user: User | AnonymousUser) -> Sequence[str]:
    """The user's favourites in his order."""
    found = Favourite.objects.filter(owner=user.pk, person__is_active=True)
    return [str(pk) for pk in found.values_list("person_id", flat=True)]


def groups_of(user: User | AnonymousUser) -> list[tuple[Group, list[str]]]:
    """The user's groups in his order, each with the ids of its people by name."""
    groups = list(Group.objects.filter(owner=user.pk))
    members = (
        GroupMember.objects.filter(group__in=groups, person__is_active=True)
        .order_by(*_BY_NAME)
        .values_list("group_id", "person_id")
    )
    found: dict[int, list[str]] = {group.pk: [] for group in groups}
    for group_id, user_id in members:
        found[group_id].append(str(user_id))
    return [(group, found[group.pk]) for group in groups]


def team_ids(viewer: User | AnonymousUser) -> list[str]:
    """Favourites, then the people of the viewer's own groups; else the first colleagues by name."""
    members = (
        GroupMember.objects.filter(group__owner=viewer.pk, person__is_active=True)
        .order_by("group__position", "group_id", *_BY_NAME)
        .values_list("person_id", flat=True)
    )
    chosen = dict.fromkeys([*favourite_ids(viewer), *map(str, members)])
    return list(chosen) or first_colleague_ids(viewer)


def first_colleague_ids(viewer: User | AnonymousUser) -> list[str]:
    """Whom somebody sees who has chosen nobody."""
    found = (
        User.objects.filter(is_active=True)
        .exclude(pbx=None)
        .order_by("first_name", "last_name", "username")
        .values_list("pk", flat=True)[: TEAM_SIZE + 1]
    )
    return [str(pk) for pk in found if pk != viewer.pk][:TEAM_SIZE]


# --- Privacy ------------------------------------------------------------------------------------


@once
def privacy_book(of: tuple[int, ...] = ()) -> PrivacyBook:
    """The audiences of those who chose one: of everybody, or ``of`` some."""
    chosen = AudienceChoice.objects.exclude(kind=AudienceChoice.Kind.EVERYONE)
    choices = list(chosen.filter(user__in=of) if of else chosen)
    owners = {choice.user_id for choice in choices if choice.kind == AudienceChoice.Kind.GROUPS}
    members: dict[int, list[tuple[int, str]]] = {}
    if owners:
        rows = GroupMember.objects.filter(group__owner__in=owners)
        for owner, group, person in rows.values_list("group__owner_id", "group_id", "person_id"):
            members.setdefault(owner, []).append((group, str(person)))
    audiences: dict[str, Audience] = {}
    for choice in choices:
        before = audiences.get(str(choice.user_id), Audience())
        allowed = _allowed(choice, members.get(choice.user_id, []))
        audiences[str(choice.user_id)] = replace(before, **{choice.axis: allowed})
    return PrivacyBook(audiences, is_mutual=settings.PRESENCE_RECIPROCITY)


def _allowed(choice: AudienceChoice, members: Iterable[tuple[int, str]]) -> frozenset[str]:
    match choice.kind:
        case AudienceChoice.Kind.PEOPLE:
            return frozenset(map(str, choice.people))
        case AudienceChoice.Kind.GROUPS:
            return frozenset(
                person
                for group, person in members
                if not choice.groups or str(group) in map(str, choice.groups)
            )
        case _:
            return frozenset()


def privacy_fingerprint() -> tuple[object, ...]:
    """Something cheap that changes with the book."""
    found = AudienceChoice.objects.aggregate(count=Count("pk"), newest=Max("touched_at"))
    return found["count"], found["newest"]


def _shower(
    viewer: User | AnonymousUser, links: Links, people: tuple[int, ...] = ()
) -> Callable[[Known], PersonRecord]:
    """What makes of what is known what this viewer may see, of everybody or of some ``people``."""
    of = (*people, viewer.pk) if people and viewer.pk else ()
    book = privacy_book(of) if _is_anybody_choosy() else PrivacyBook()
    viewer_id = str(viewer.pk)

    def show(one: Known) -> PersonRecord:
        hidden = book.hidden(viewer_id, one["person"]["user_id"])
        return visible_record(_honest(one, links), hidden)

    return show


@once
def _is_anybody_choosy() -> bool:
    """Whether anybody hides from somebody; mostly nobody does."""
    found = "SELECT 1 FROM presence_audiencechoice WHERE kind <> 'everyone' LIMIT 1"
    return bool(rows_of(found))


def audience_of(user: User) -> dict[str, AudienceAnswer]:
    """Who may see this user, as he chose it."""
    found = {choice.axis: choice for choice in AudienceChoice.objects.filter(user=user)}
    return {
        axis: AudienceAnswer(
            audience=choice.kind if choice else "everyone",
            people=[str(one) for one in choice.people] if choice else [],
            groups=[str(one) for one in choice.groups] if choice else [],
        )
        for axis in AudienceChoice.Axis.values
        for choice in [found.get(axis)]
    }


class AudienceAnswer(TypedDict):
    """An audience as the API writes it; ids of people, and of the user's own groups."""

    audience: str
    people: list[str]
    groups: list[str]


def known(users: QuerySet[User]) -> list[Known]:
    """The states of these users as they were last known, without regard to the links."""
    return [known_of(person) for person in persons(users)]


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
            statement = f"{_PEOPLE} AND person.id IN ({places(new)})"
            met |= {row[0]: _met_as(*row) for row in rows_of(statement, [*new])}
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


def _met_as(
    pk: int, extension: str, first: str, last: str, username: str, pbx: int | None, *state: Any
) -> Met:
    """Somebody out of his row, with that of his state if he has one."""
    name = f"{first} {last}".strip() or username
    phone, im, message, keeper, is_there, phone_since, im_since, revision = state
    if revision is None:
        return Met(_nobody(str(pk), name, pbx), extension)
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


def read_links(*, now: datetime) -> Links:
    """All PBXs' links, and whether an engine is on duty."""
    rows = _link_rows()
    epoch, renewed_at = rows[0][:2]
    silent_since = None
    if renewed_at is None:
        silent_since = _BEFORE_ALL
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


def _honest(one: Known, links: Links) -> PersonRecord:
    since = links.silent_since
    if since is None and one["pbx"] is not None:
        since = links.down_since(one["pbx"])
    if since is None:
        return one["person"]
    return honest_record(
        one,
        is_pbx_heard=False,
        is_engine_heard=links.silent_since is None,
        since=None if since == _BEFORE_ALL else iso(since),
    )


def _nobody(user_id: str, name: str, pbx: int | None) -> Person:
    """Somebody the engine has not written about yet."""
    return Person(
        user_id=user_id,
        name=name,
        pbx=pbx,
        phone=PhoneState.OFFLINE if pbx is None else PhoneState.UNKNOWN,
        im=ImState.OFFLINE if pbx is None else ImState.UNKNOWN,
    )


def _numbers(ids: Iterable[str]) -> list[int]:
    return [int(one) for one in ids if one.isascii() and one.isdecimal() and len(one) < 19]
