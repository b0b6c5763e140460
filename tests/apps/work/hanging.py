"""A program that claims every job that is due, says how many, and hangs until it is killed."""

from __future__ import annotations

import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402

from bluetel.work import queue  # noqa: E402
from bluetel.work.owners import own_name  # noqa: E402

claims = queue.claim(owner=own_name(), now=timezone.now(), most=10)
print(len(claims), flush=True)  # noqa: T201
sys.stdin.read()
