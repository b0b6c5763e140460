"""What forwarding tells whoever watches BlueTel; read at ``/metrics``."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

WRITES = Counter("bluetel_forward_writes_total", "Forwards written to PBXs")
FAILING = Gauge("bluetel_forwards_failing", "Users whose forwards the PBX has not taken for 30 s")
