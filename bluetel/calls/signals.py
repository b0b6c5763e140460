"""What others may listen to."""

from __future__ import annotations

from django.dispatch import Signal

call_placed = Signal()
"""The PBX took a call that a user asked for; sent outside any transaction.

Gives ``user_id``, an int, and ``dialed``, exactly what was sent to the PBX.
"""
