"""Search filters as text (RFC 4515), built so that what people type stays a value."""

from __future__ import annotations

from collections.abc import Iterable

_ESCAPED = {"\\": r"\5c", "*": r"\2a", "(": r"\28", ")": r"\29", "\0": r"\00"}


def escape(value: str) -> str:
    """``value`` as an assertion value: the five characters with a meaning are written in hex."""
    return "".join(_ESCAPED.get(character, character) for character in value)


def escape_bytes(value: bytes) -> str:
    """Binary ``value`` as an assertion value, each byte in hex (objectGUID needs this)."""
    return "".join(f"\\{byte:02x}" for byte in value)


def equals(attribute: str, value: str) -> str:
    """Entries whose ``attribute`` is ``value``, by the attribute's own matching rule."""
    return f"({attribute}={escape(value)})"


def at_least(attribute: str, value: str) -> str:
    """Entries whose ``attribute`` is ``value`` or greater."""
    return f"({attribute}>={escape(value)})"


def all_of(parts: Iterable[str]) -> str:
    """Entries that every one of ``parts`` accepts; one part stays as it is."""
    return _join("&", parts)


def any_of(parts: Iterable[str]) -> str:
    """Entries that at least one of ``parts`` accepts; one part stays as it is."""
    return _join("|", parts)


def is_filter(text: str) -> bool:
    """Whether ``text`` is one filter in parentheses; it may still name unknown attributes."""
    depth = 0
    for position, character in enumerate(text):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth < 0 or (depth == 0 and position != len(text) - 1):
                return False
        elif depth == 0:
            return False
    return depth == 0 and len(text) > 2 and ("=" in text) and "()" not in text


def _join(operator: str, parts: Iterable[str]) -> str:
    kept = tuple(dict.fromkeys(parts))
    return kept[0] if len(kept) == 1 else f"({operator}{''.join(kept)})"
