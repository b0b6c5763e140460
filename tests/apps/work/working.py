"""A program that does jobs until none is left, those of killed processes too."""

from __future__ import annotations

import time

import django

django.setup()

from django.utils import timezone  # noqa: E402

from bluetel.work import queue  # noqa: E402
from bluetel.work.in_process import carry_out  # noqa: E402
from bluetel.work.models import Job  # noqa: E402
from bluetel.work.owners import own_name  # noqa: E402

owner = own_name()
while Job.objects.exists():
    queue.free_orphans(now=timezone.now())
    claims = queue.claim(owner=owner, now=timezone.now(), most=3)
    for claim in claims:
        carry_out(claim)
    if not claims:
        time.sleep(0.05)
