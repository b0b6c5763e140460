"""What the work in the background tells whoever watches BlueTel; read at ``/metrics``."""

from __future__ import annotations

from prometheus_client import Gauge, Histogram

JOBS_GIVEN_UP = Gauge("bluetel_jobs_given_up", "Jobs that failed too often and wait for a person")
EDGE_LATENESS = Histogram(
    "bluetel_edge_lateness_seconds",
    "How late timed edges are taken",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
