"""Reads typed fields out of Wazo's JSON; a missing or ill-typed one is a ``ProtocolError``.

Unknown fields are passed over, so that a newer Wazo goes on working. No value ever enters an
error's text: it may be a token or somebody's number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bluetel.telephony.errors import ProtocolError


class Fields:
    """One JSON object and what it is, for the error texts."""

    __slots__ = ("_values", "_what")

    def __init__(self, value: object, *, what: str) -> None:
        """Raise ``ProtocolError`` where ``value`` isn't an object."""
        if not isinstance(value, Mapping):
            raise ProtocolError(f"{what} is not an object")
        self._values: Mapping[str, object] = value
        self._what = what

    def _bad(self, name: str, kind: str) -> ProtocolError:
        state = "not " + kind if name in self._values else "missing"
        return ProtocolError(f"{self._what}: {name} is {state}")

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self._values.get(name)
        if not isinstance(value, str):
            raise self._bad(name, "a string")
        return value

    def text_or_none(self, name: str) -> str | None:
        """A string or null; the field itself must be there."""
        if name in self._values and self._values[name] is None:
            return None
        return self.text(name)

    def optional_text(self, name: str) -> str:
        """A string, empty where it is absent, null or of another type."""
        value = self._values.get(name)
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """A boolean that must be there."""
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise self._bad(name, "a boolean")
        return value

    def whole(self, name: str) -> int:
        """An integer that must be there; a boolean isn't one."""
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._bad(name, "an integer")
        return value

    def optional_whole(self, name: str) -> int | None:
        """An integer, None where it is absent, null or of another type."""
        value = self._values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def items(self, name: str) -> Sequence[object]:
        """An array that must be there."""
        value = self._values.get(name)
        if not isinstance(value, list):
            raise self._bad(name, "an array")
        return value

    def inner(self, name: str) -> Fields:
        """An object that must be there."""
        if name not in self._values:
            raise self._bad(name, "an object")
        return Fields(self._values[name], what=f"{self._what}.{name}")

    def optional_object(self, name: str) -> Fields | None:
        """An object, None where it is absent, null or of another type."""
        value = self._values.get(name)
        return Fields(value, what=f"{self._what}.{name}") if isinstance(value, Mapping) else None

    def mapping(self, name: str) -> Mapping[str, object]:
        """An object that must be there, as it is."""
        value = self._values.get(name)
        if not isinstance(value, Mapping):
            raise self._bad(name, "an object")
        return value

    def moment(self, name: str) -> datetime:
        """A time that must be there; one without offset is UTC, as Wazo's naive REST times are."""
        moment = self._moment(self.text(name))
        if moment is None:
            raise self._bad(name, "a time")
        return moment

    def moment_or_none(self, name: str) -> datetime | None:
        """A time or null; the field itself must be there."""
        if self.text_or_none(name) is None:
            return None
        return self.moment(name)

    @staticmethod
    def _moment(text: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)


def wall_clock(text: object) -> datetime | None:
    """An event envelope's time: the PBX's own wall clock, marked as UTC but not converted.

    It only serves to order events of one PBX (``reference/wazo.md`` §3: naive, local).
    """
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
