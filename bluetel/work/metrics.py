"""What the work in the background tells whoever watches BlueTel; read at ``/metrics``."""

from __future__ import annotations

from prometheus_client import Gauge

JOBS_GIVEN_UP = Gauge("bluetel_jobs_given_up", "Jobs that failed too often and wait for a person")
