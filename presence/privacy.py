"""Who may see what of whom; pure.

Everybody may see everybody's phone and chat status unless somebody chose an audience for his own.
What is hidden reads offline, without message or times, on every path: there is nothing to tell it
from the real thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntFlag


class Hidden(IntFlag):
    """What of a person a viewer may not see: four kinds of record for each person at most."""

    NOTHING = 0
    PHONE = 1
    IM = 2
    BOTH = 3


@dataclass(frozen=True, slots=True)
class Audience:
    """The ids of those who may see somebody's phone, and his chat status; None is everybody."""

    phone: frozenset[str] | None = None
    im: frozenset[str] | None = None

    def hides(self, viewer: str) -> Hidden:
        """What ``viewer`` isn't in the audience for."""
        hidden = Hidden.NOTHING
        if self.phone is not None and viewer not in self.phone:
            hidden |= Hidden.PHONE
        if self.im is not None and viewer not in self.im:
            hidden |= Hidden.IM
        return hidden


EVERYBODY = Audience()


@dataclass(frozen=True, slots=True)
class Sight:
    """What of whom can't be seen, by all who see it so; of whom it doesn't name all is seen.

    With ``viewer`` it is his alone: the book must be asked about each person.
    """

    hidden: frozenset[tuple[str, Hidden]] = frozenset()
    viewer: str | None = None


EVERYTHING = Sight()


@dataclass(frozen=True, slots=True)
class PrivacyBook:
    """The audiences of those who chose one, by user id.

    ``is_mutual`` (the administrator's choice): who hides from somebody doesn't see the same of him.
    """

    audiences: Mapping[str, Audience] = field(default_factory=dict)
    is_mutual: bool = False

    def hidden(self, viewer: str, person: str) -> Hidden:
        """What ``viewer`` may not see of ``person``; everybody sees himself."""
        if viewer == person or not self.audiences:
            return Hidden.NOTHING
        hidden = self.audiences.get(person, EVERYBODY).hides(viewer)
        if self.is_mutual:
            hidden |= self.audiences.get(viewer, EVERYBODY).hides(person)
        return hidden

    def changed(self, before: PrivacyBook) -> set[str]:
        """Whose audience is another than in an earlier book."""
        everybody = self.audiences.keys() | before.audiences.keys()
        return {
            user_id
            for user_id in everybody
            if self.audiences.get(user_id, EVERYBODY) != before.audiences.get(user_id, EVERYBODY)
        }

    def sight(self, viewer: str, people: Iterable[str] | None) -> Sight:
        """What ``viewer`` may not see of these people, or of everybody, whoever comes yet."""
        if not self.audiences:
            return EVERYTHING
        if people is None:
            if self.is_mutual and viewer in self.audiences:
                return Sight(viewer=viewer)  # what he hides from others he doesn't see of them
            people = self.audiences
        hidden = ((person, self.hidden(viewer, person)) for person in people)
        return Sight(frozenset(one for one in hidden if one[1]))
