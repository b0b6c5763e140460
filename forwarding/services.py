"""Change where calls go."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger(__name__)


def reconsider(user_id: int, *, now: datetime) -> None:
    """Work out anew what holds for a user, after something it depends on has changed."""
    log.debug("user %s: reconsidered at %s", user_id, now)
