"""What others may listen to."""

from __future__ import annotations

from django.dispatch import Signal

claims_changed = Signal()
"""A user's claims on his chat status are new, or one of them is over; sent after the commit.

Gives ``user_id``, an int, and ``source``, that of the claims, empty when they have several. Who
listens reads the rows: several changes may come as one.
"""
