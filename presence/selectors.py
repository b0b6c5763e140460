"""Reading who is there, from the rows; the same for pages, API, search and hub.

Whatever leaves here has already been made honest: people of a PBX that is not heard, or whose
engine has fallen silent, read unknown.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from anyascii import anyascii
from django.conf import settings
from django.db.models import Count, Max
from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.once import once
from bluetel.rows import rows_of
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
    AudienceChoice,
    Claim,
    Favourite,
    Group,
    GroupMember,
)
from presence.privacy import Audience, PrivacyBook
from presence.rules import ImDecision, resolve_im
from presence.states import BEFORE_ALL, Links, known, meet, nobody, read_links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.contrib.auth.models import AnonymousUser

TEAM_SIZE = 50

Watch = list[str] | Literal["team", "all"]


class PresenceAnswer(TypedDict):
    """People and the revision they are at."""

    revision: int
    people: list[PersonRecord]


_BY_NAME = ("person__first_name", "person__last_name", "person__username")


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
    for record in records:
        if isinstance(viewer, User) and record["user_id"] == str(viewer.pk):
            # Who has just chosen a status reads it at once, before everybody has heard of it.
            decision = decide_im(viewer, now=timezone.now())
            if decision.winner is not None:
                _say(decision, record)
    records.sort(key=lambda record: (anyascii(record["name"]).lower(), record["user_id"]))
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
    return record_of(nobody(str(user.pk), user.display_name, None))


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
    if decision.winner is not None or record["im"] != "unknown":
        _say(decision, record)
    return StatusAnswer(**record, source=decision.source.value, until=iso(decision.until))


def _say(decision: ImDecision, record: PersonRecord) -> None:
    """Bring somebody's own record up to what his claims come to."""
    record["im"], record["message"] = decision.status.value, decision.message
    if decision.winner is not None:
        record["im_since"] = iso(decision.winner.starts)
        record["since"] = max(filter(None, (record["phone_since"], record["im_since"])))


def pbx_down_since(user: User) -> datetime | None:
    """Since when the user's PBX is not heard; None while it is, and for who has no PBX."""
    if user.pbx_id is None:
        return None
    since = read_links(now=timezone.now()).down_since(user.pbx_id)
    return timezone.now() if since == BEFORE_ALL else since


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
        since=None if since == BEFORE_ALL else iso(since),
    )


def _numbers(ids: Iterable[str]) -> list[int]:
    return [int(one) for one in ids if one.isascii() and one.isdecimal() and len(one) < 19]
