"""What users were told a moment ago, for pages that were drawn before and connect only now."""

from __future__ import annotations

KEPT = 60.0
"""Seconds; a page that takes longer to load has missed more than this could tell."""


class Recent:
    """Of each kind of frame the newest that a user was told, as text, for :data:`KEPT` seconds."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, tuple[float, str]]] = {}

    def note(self, user_id: str, kind: str, text: str, *, at: float) -> None:
        """A user was told this at ``at``, which only grows; what is too old is forgotten."""
        frames = self._told.pop(user_id, {})  # and put back last, so the oldest is first
        frames[kind] = at, text
        self._told[user_id] = frames
        while (first := next(iter(self._told))) != user_id and self._newest(first) < at - KEPT:
            del self._told[first]

    def since(self, user_id: str, at: float) -> list[str]:
        """The frames a user was told at ``at`` or later."""
        return [text for told_at, text in self._told.get(user_id, {}).values() if told_at >= at]

    def _newest(self, user_id: str) -> float:
        return max(told_at for told_at, _ in self._told[user_id].values())

    def __len__(self) -> int:
        """Of how many users something is kept."""
        return len(self._told)
