"""Change where calls go: what users choose, and what they say about a meeting.

Nothing here speaks to the PBX but to learn a voicemail box's number: rows are written, and the
engine does what they ask for (``forwarding.reconciler``), at once where it runs in this process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction
from django.utils.translation import gettext as _

from bluetel.calls.errors import CallError, NoLine, PbxDown
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.types import Forward, ForwardKind, PbxUserId
from bluetel.work import due, leases
from forwarding import unconfirmed
from forwarding.blocks import OccurrenceKey, block_at, unite
from forwarding.doing import way_to_box
from forwarding.errors import InvalidChoice, NoMeeting, NotReadable, NoVoicemail
from forwarding.lines import lock
from forwarding.models import Automation, Line, RouteOverride, SuppressedMeeting
from forwarding.rules import Choice, claims_at, ref_of_occurrence
from forwarding.selectors import routing_of
from forwarding.situation import Known, forward_of, kept, read_meetings
from forwarding.steps import DO_NOT_DISTURB, EDGE, READ_EDGE
from forwarding.targets import judge_target
from presence import services as presence
from presence.models import PbxLink

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from forwarding.messages import ForwardsRecord

Scope = Literal["meeting", "series"]
FORWARD_KINDS = tuple(kind.value for kind in ForwardKind)


def reconsider(user_id: int, *, now: datetime) -> None:
    """Work out anew what holds for a user, after something it depends on has changed."""
    with transaction.atomic():
        if lock([user_id], now=now):
            presence.follow_meeting(user_id, now=now)
            due.put_no_later(EDGE, str(user_id), now)


def block_end(user_id: int, now: datetime) -> datetime | None:
    """When the busy block this user is in ends, whether he lets it count or not."""
    block = block_at(unite(read_meetings(user_id, now=now)), now)
    return block.ends if block else None


# --- Rules ----------------------------------------------------------------------------------------


def save_automation(
    user: User, changes: Mapping[str, Mapping[str, Any]], *, now: datetime
) -> Automation:
    """Change a user's rules: ``{"calendar": {…}, "im": {…}}`` as in the API, merged into what is.

    Raises ``CallError`` for a target that can't be used; then nothing is changed. A number stays
    though its choice is another one.
    """
    automation = Automation.objects.filter(pk=user.pk).first() or Automation(user=user)
    calendar, im = changes.get("calendar", {}), changes.get("im", {})
    for name in ("set_im_busy", "until_hang_up", "all_day", "tentative", "only_with_others"):
        if calendar.get(name) is not None:
            setattr(automation, name, calendar[name])
    if im.get("only_by_hand") is not None:
        automation.im_only_by_hand = im["only_by_hand"]
    for rule, values in (("calendar", calendar), ("im", im)):
        if values.get("number") is not None:
            setattr(automation, f"{rule}_number", str(values["number"]).strip()[:64])
        if values.get("route") is not None:
            setattr(automation, f"{rule}_route", values["route"])
    _check(automation)
    routes = {automation.calendar_route, automation.im_route}
    if routes != {Automation.Route.NOTHING} and not unconfirmed.can_read(user):
        raise NotReadable
    voicemail = _judge_rules(user, automation)
    with transaction.atomic():
        (known,) = lock([user.pk], now=now)
        automation.save()
        line = known.line
        line.refused = {}
        if voicemail is not None:
            line.voicemail = voicemail
        line.save(update_fields=["refused", "voicemail"])
        reconsider(user.pk, now=now)
    return automation


def switch_off(user_ids: Iterable[int], *, now: datetime) -> None:
    """Turn all rules of these users off; their numbers stay, their forwards come back."""
    for user_id in user_ids:
        with transaction.atomic():
            Automation.objects.filter(pk=user_id).update(
                set_im_busy=False,
                calendar_route=Automation.Route.NOTHING,
                im_route=Automation.Route.NOTHING,
            )
            reconsider(user_id, now=now)


def _check(automation: Automation) -> None:
    words = {
        "calendar_route": Automation.Route,
        "im_route": Automation.Route,
        "all_day": Automation.AllDay,
        "tentative": Automation.Tentative,
    }
    for name, choices in words.items():
        value = getattr(automation, name)
        if value not in choices.values:
            raise InvalidChoice(_("“%(value)s” is no choice here.") % {"value": str(value)[:40]})


def _judge_rules(user: User, automation: Automation) -> str | None:
    """Judge the numbers that are to be used; gives the way to the box where one is to be used."""
    for rule in ("calendar", "im"):
        number = getattr(automation, f"{rule}_number")
        route = getattr(automation, f"{rule}_route")
        if route == Choice.NUMBER:
            setattr(automation, f"{rule}_dialed", judge_target(user, number, ahead=True))
    if Choice.VOICEMAIL in (automation.calendar_route, automation.im_route):
        return find_voicemail(user)
    return None


def find_voicemail(user: User) -> str:
    """Ask the PBX for the way to the user's box.

    Raises ``NoVoicemail``, ``NoLine`` or ``PbxDown``.
    """
    if user.pbx is None or not user.pbx_user_id:
        raise NoLine
    try:
        found = way_to_box(user.pbx, PbxUserId(user.pbx_user_id))
    except TelephonyError:
        known = Line.objects.filter(pk=user.pk).values_list("voicemail", flat=True).first()
        if known:
            return known
        raise PbxDown from None
    if not found:
        raise NoVoicemail
    return found


# --- Own settings ---------------------------------------------------------------------------------


def ask_for_forwards(user: User, changes: Mapping[str, Any], *, now: datetime) -> None:
    """Have some of the user's own settings changed on the PBX, as his handset would do it.

    ``changes`` has any of ``unconditional busy no_answer`` (``{"enabled", "destination"}``, merged
    into what is) and ``do_not_disturb``. Raises ``CallError``; then nothing is asked for.
    """
    if user.pbx is None or not user.pbx_user_id:
        raise NoLine
    line = Line.objects.filter(pk=user.pk).first() or Line(user=user)
    wanted: dict[str, Any] = {}
    for kind in FORWARD_KINDS:
        if changes.get(kind) is not None:
            forward = _merged(user, line, kind, changes[kind])
            wanted[kind] = kept(forward)
    if changes.get(DO_NOT_DISTURB) is not None:
        wanted[DO_NOT_DISTURB] = bool(changes[DO_NOT_DISTURB])
    with transaction.atomic():
        (known,) = lock([user.pk], now=now)
        known.line.wanted = {**known.line.wanted, **wanted}
        known.line.save(update_fields=["wanted"])
        due.put(EDGE, [(str(user.pk), now)])


def _merged(user: User, line: Line, kind: str, change: Mapping[str, Any]) -> Forward:
    before = forward_of((line.own or {}).get(kind)) or Forward()
    enabled = before.enabled if change.get("enabled") is None else bool(change["enabled"])
    text = change.get("destination")
    destination = before.destination
    if text is not None and str(text).strip() != before.destination:
        text = str(text).strip()
        is_box = bool(line.voicemail) and text == line.voicemail
        destination = text if is_box or not text else judge_target(user, text, ahead=False)
    elif enabled and not before.enabled and destination != line.voicemail:
        judge_target(user, destination, ahead=False)
    if enabled and not destination:
        raise InvalidChoice(_("Give the number that calls go to."))
    return Forward(enabled=enabled, destination=destination)


# --- This meeting, this series --------------------------------------------------------------------


def suppress(user: User, scope: Scope, *, now: datetime) -> None:
    """Let the meetings of this block change nothing, or their series ever. Raises ``NoMeeting``."""
    with transaction.atomic():
        (known,) = lock([user.pk], now=now)
        block = known.block(now)
        if block is None:
            if scope == "meeting" and block_at(known.situation.suppressed, now):
                return
            raise NoMeeting
        _suppress(known, block.keys, scope=scope, now=now)
        reconsider(user.pk, now=now)


def unsuppress(user: User, *, now: datetime) -> None:
    """Let the meetings that go on now count again, and their series.

    That goes too where the user had switched the forward off, or set another over it.
    """
    with transaction.atomic():
        (known,) = lock([user.pk], now=now)
        block = block_at(unite(known.meetings), now)
        if block is not None:
            override = RouteOverride.objects.filter(pk=user.pk).first()
            meetings = {ref_of_occurrence(key) for key in block.keys}
            if override is not None and meetings.intersection(override.refs):
                override.delete()
            rows = SuppressedMeeting.objects.filter(user=user)
            rows.filter(uid__in={key.uid for key in block.keys}).delete()
        reconsider(user.pk, now=now)


def _suppress(known: Known, keys: Iterable[OccurrenceKey], *, scope: Scope, now: datetime) -> None:
    for key in keys:
        is_meeting = scope == "meeting"
        SuppressedMeeting.objects.get_or_create(
            user=known.user,
            uid=key.uid,
            recurrence_id=key.recurrence_id if is_meeting else "",
            starts=key.starts if is_meeting else None,
            by_status=False,
            defaults={"created_at": now},
        )


def forget_pbx(user_ids: Iterable[int]) -> None:
    """The PBX was made anew and holds nothing: what was noted of these users' forwards is void."""
    ids = list(user_ids)
    with transaction.atomic():
        RouteOverride.objects.filter(pk__in=ids).delete()
        Line.objects.filter(pk__in=ids).update(own=None, applied=None, intended=None, wanted={})


def release(user_ids: Iterable[int], *, now: datetime) -> None:
    """Give these users' forwards back.

    The meetings in progress are suppressed, and while somebody is busy by hand his own settings
    stand.
    """
    for user_id in user_ids:
        with transaction.atomic():
            for known in lock([user_id], now=now):
                block = known.block(now)
                if block is not None:
                    _suppress(known, block.keys, scope="meeting", now=now)
                refs = {ref for claim in claims_at(known.situation, now) for ref in claim.refs}
                if refs:
                    RouteOverride.objects.update_or_create(
                        user_id=user_id, defaults={"refs": sorted(refs), "since": now}
                    )
                reconsider(user_id, now=now)


# --- Together with the engine ---------------------------------------------------------------------

ANSWER_WITHIN = 4.5
READ_WITHIN = 3.0
LOOK_EVERY = 0.02


def set_forwards(user: User, changes: Mapping[str, Any], *, now: datetime) -> ForwardsRecord | None:
    """Change own settings, and wait until the PBX has taken them. Raises ``CallError``.

    ``PbxDown`` when it didn't within :data:`ANSWER_WITHIN` seconds: then nothing is tried later.
    Where they can't be read they are only sent (:mod:`forwarding.unconfirmed`), and given back.
    """
    if not unconfirmed.can_read(user):
        return unconfirmed.send(user, changes)
    require_engine(user, now=now)
    ask_for_forwards(user, changes, now=now)
    if _until(lambda: not _wanted(user), within=ANSWER_WITHIN):
        line = Line.objects.get(pk=user.pk)
        if line.failing_since is None:
            return None
    Line.objects.filter(pk=user.pk).update(wanted={})
    raise PbxDown


def refresh_forwards(user: User, *, now: datetime) -> None:
    """Have the user's own settings read if nobody kept them right since the PBX is heard.

    What can't be read now stays as it was last known. Raises ``PbxDown`` when nothing is known,
    ``NotReadable`` for a user whose PBX needs his own login for it.
    """
    if user.pbx is None or not user.pbx_user_id:
        raise NoLine
    if not unconfirmed.can_read(user):
        raise NotReadable
    link = PbxLink.objects.filter(pk=user.pbx_id, is_up=True).first()
    since = link.since if link else None
    if since is not None and not _is_read(user, since=since):
        due.put(READ_EDGE, [(str(user.pk), now)])
        _until(lambda: _is_read(user, since=since), within=READ_WITHIN)
    if not Line.objects.filter(pk=user.pk, own__isnull=False).exists():
        raise PbxDown


def settle(user: User, *, now: datetime) -> bool:
    """Wait until the PBX holds what was decided, where an engine sees to it; whether it does."""
    try:
        require_engine(user, now=now)
    except CallError:
        return False
    return _until(lambda: bool(routing_of(user, now=now)["applied"]), within=ANSWER_WITHIN)


def require_engine(user: User, *, now: datetime) -> None:
    """Raise ``PbxDown`` unless an engine hears the user's PBX, ``NoLine`` without one."""
    if user.pbx is None or not user.pbx_user_id:
        raise NoLine
    is_up = PbxLink.objects.filter(pk=user.pbx_id, is_up=True).exists()
    if not is_up or leases.holder_of(leases.ENGINE, now=now) is None:
        raise PbxDown


def _wanted(user: User) -> bool:
    return bool(Line.objects.filter(pk=user.pk).values_list("wanted", flat=True).first())


def _is_read(user: User, *, since: datetime) -> bool:
    return Line.objects.filter(pk=user.pk, own__isnull=False, read_at__gte=since).exists()


def _until(condition: Callable[[], bool], *, within: float) -> bool:
    """Whether something another thread or process does came about in time."""
    ends = time.monotonic() + within
    while not (came := condition()) and time.monotonic() < ends:
        time.sleep(LOOK_EVERY)
    return came
