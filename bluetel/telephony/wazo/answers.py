"""Wazo's error answers, in all their shapes, into our error tree; pure.

The shapes (``reference/wazo.md`` §0, recorded): A ``{"reason": […], "status_code"}`` of tokens and
dird's directories; B ``{"message", "error_id", "details"}`` of most; C a JSON list of strings,
confd's; D ``{"message"}`` alone, the framework's; E an HTML page, an unknown route's.

No text of Wazo's enters an error of ours, bar ``error_id`` and the name of a missing right: confd's
lists quote the token, others the numbers dialled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bluetel.telephony.errors import (
    Forbidden,
    NotFound,
    PbxUnavailable,
    ProtocolError,
    Rejected,
    RejectReason,
    TelephonyError,
)
from bluetel.telephony.http import Answer

_ERROR_ID = re.compile(r"[a-z0-9_-]{1,60}")
_RIGHT_IN_LIST = re.compile(r"'((?:auth|calld|call-logd|chatd|confd|dird)\.[A-Za-z0-9_.*#-]+)'")

_REASONS = {
    "invalid-extension": RejectReason.INVALID_EXTENSION,
    "user-missing-main-line": RejectReason.NO_LINE,
    "invalid-user-line": RejectReason.NO_LINE,
    "call-origin-unavailable": RejectReason.PHONE_UNREACHABLE,
    "invalid-user": RejectReason.UNKNOWN_USER,
    "invalid-data": RejectReason.INVALID_DATA,
    "invalid-list-param": RejectReason.INVALID_DATA,
    "transfer-already-started": RejectReason.CONFLICT,
    "too-many-transferred-candidates": RejectReason.CONFLICT,
    "transfer-completion-error": RejectReason.CONFLICT,
    "transfer-cancellation-error": RejectReason.CONFLICT,
}
_OTHER_REASONS = frozenset({"call-creation", "transfer-creation-error"})

PHONED_ERROR = "phoned-error"
NOT_INITIALIZED = "not-initialized"


class Refusal(Enum):
    """What a 401 means; on confd and dird's directories the body doesn't tell."""

    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What can be read out of an error's body; each part is empty where it isn't there."""

    error_id: str = ""
    reason: str = ""
    right: str = ""


def problem(answer: Answer) -> Problem:
    """Read an error's body, whatever its shape."""
    try:
        body: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Problem()
    if isinstance(body, list):
        return Problem(right=_right_in(body))
    if not isinstance(body, Mapping):
        return Problem()
    error_id = body.get("error_id")
    details = body.get("details")
    known = details if isinstance(details, Mapping) else {}
    reason, right = known.get("reason"), known.get("required_access")
    return Problem(
        error_id=error_id if isinstance(error_id, str) and _ERROR_ID.fullmatch(error_id) else "",
        reason=reason if isinstance(reason, str) else "",
        right=right if isinstance(right, str) else "",
    )


def _right_in(body: list[object]) -> str:
    """The right that confd quotes beside the token, or the empty string."""
    for text in body:
        found = _RIGHT_IN_LIST.search(text) if isinstance(text, str) else None
        if found:
            return found.group(1)
    return ""


def refusal(answer: Answer) -> Refusal:
    """Sort a 401."""
    read = problem(answer)
    if read.reason == "not_found_or_expired":
        return Refusal.EXPIRED
    if read.reason == "missing_permission_or_invalid_tenant":
        return Refusal.FORBIDDEN
    if read.error_id == "unauthorized-tenant":
        return Refusal.FORBIDDEN
    return Refusal.UNCLEAR


def forbidden(answer: Answer, *, what: str) -> Forbidden:
    """The error for a right that is missing, naming it where the answer does."""
    right = problem(answer).right
    return Forbidden(f"{what}: the service account lacks {right or 'a right'}", right=right)


def failure(answer: Answer, *, what: str, is_command: bool) -> TelephonyError:
    """The error for any answer of 300 or more but 401, which needs a question to wazo-auth.

    A command answered 500, 502 or 504 may have been carried out (recorded:
    presence_put_during_bus_outage was stored); 503 is a service that says it can't.
    """
    status = answer.status
    read = problem(answer)
    text = f"{what}: {status} {read.error_id}".rstrip()
    if status >= 500:
        return PbxUnavailable(
            text,
            maybe_done=is_command and status != 503,
            retry_after=answer.retry_after,
        )
    match status:
        case 403:
            return Forbidden(text, right=read.right)
        case 404:
            return NotFound(text)
        case 409:
            return Rejected(text, reason=_REASONS.get(read.error_id, RejectReason.CONFLICT))
        case 429:
            return PbxUnavailable(text, retry_after=answer.retry_after)
        case 400 | 413 | 414 | 422:
            return Rejected(text, reason=_rejection(read.error_id))
        case _:
            return ProtocolError(text)


def _rejection(error_id: str) -> RejectReason:
    if error_id in _OTHER_REASONS:
        return RejectReason.OTHER
    return _REASONS.get(error_id, RejectReason.INVALID_DATA)
