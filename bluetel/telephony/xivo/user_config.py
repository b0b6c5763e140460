"""A user's forwards and do-not-disturb as ``UserConfigUpdate`` tells them, piece by piece; pure.

The rule for partial updates (``reference/xivo.md`` §5): where ``fullName`` is null, a forward
counts only if its destination is not null; ``dndEnabled`` counts each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bluetel.telephony.types import Forward, ForwardKind, Forwards
from bluetel.telephony.xivo.messages import ConfigUpdate


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update made different, compared with what was known before."""

    forwards: Mapping[ForwardKind, Forward] = field(default_factory=dict)
    do_not_disturb: bool | None = None
    is_person_changed: bool = False


class UserConfig:
    """What is known of one user's settings."""

    def __init__(self) -> None:
        self._forwards: dict[ForwardKind, Forward] = {}
        self._do_not_disturb: bool | None = None
        self._person: tuple[str, str] | None = None
        self.has_voicemail: bool | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all three forwards and do-not-disturb are known."""
        return len(self._forwards) == len(ForwardKind) and self._do_not_disturb is not None

    @property
    def do_not_disturb(self) -> bool | None:
        """The switch; None while nothing was told."""
        return self._do_not_disturb

    def forwards(self) -> Forwards:
        """Everything; ask :attr:`is_complete` first."""
        known = {kind: self._forwards.get(kind, Forward()) for kind in ForwardKind}
        return Forwards(by_kind=known, do_not_disturb=bool(self._do_not_disturb))

    def apply(self, update: ConfigUpdate) -> Changes:
        """Take an update; only a value that was known and is another now counts as a change."""
        changed: dict[ForwardKind, Forward] = {}
        for kind, setting in update.forwards.items():
            forward = Forward(enabled=setting.enabled, destination=setting.destination or "")
            before = self._forwards.get(kind)
            if before is not None and before != forward:
                changed[kind] = forward
            self._forwards[kind] = forward
        dnd = update.do_not_disturb
        is_switched = dnd is not None and self._do_not_disturb not in {None, dnd}
        if dnd is not None:
            self._do_not_disturb = dnd
        is_person_changed = False
        if update.is_whole:
            person = (update.name, update.mobile or "")
            is_person_changed = self._person not in {None, person}
            self._person = person
            if update.voicemail_enabled is not None:
                self.has_voicemail = update.voicemail_enabled and update.voicemail_id is not None
        return Changes(
            forwards=changed,
            do_not_disturb=dnd if is_switched else None,
            is_person_changed=is_person_changed,
        )
