"""How the simulated Wazo misbehaves on request."""

from __future__ import annotations

from dataclasses import dataclass

SERVICES = frozenset({"auth", "calld", "confd", "chatd", "dird", "call-logd", "websocketd"})


class UnknownFault(ValueError):
    """A fault of that name, or with that value, does not exist."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """What is wrong at the moment; all is well at the start.

    ``slow`` is in seconds: commands are carried out at once and answered that much later. ``hang``
    takes requests and does nothing; ``lose_answers`` carries them out and never answers.
    ``withhold`` are rights the service account is denied (with ``*`` and ``#``).
    """

    refuse_logins: bool = False
    silence_stream: bool = False
    slow: float = 0.0
    hang: bool = False
    lose_answers: bool = False
    unavailable: frozenset[str] = frozenset()
    duplicate_events: bool = False
    reorder_events: bool = False
    withhold: tuple[str, ...] = ()

    def set(self, name: str, value: object) -> None:
        """Switch one fault; raises ``UnknownFault``."""
        switches = (
            "refuse_logins",
            "silence_stream",
            "hang",
            "lose_answers",
            "duplicate_events",
            "reorder_events",
        )
        if name in switches and isinstance(value, bool):
            setattr(self, name, value)
        elif name == "slow" and isinstance(value, int | float):
            self.slow = max(0.0, float(value))
        elif name == "unavailable" and isinstance(value, list) and SERVICES.issuperset(value):
            self.unavailable = frozenset(value)
        elif name == "withhold" and isinstance(value, list):
            self.withhold = tuple(str(right) for right in value)
        else:
            raise UnknownFault(name)
