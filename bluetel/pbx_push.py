"""``POST /pbx/<name>/xivo/events/<secret>/``: what a PBX tells by itself.

XUC posts without any authentication, so the address is the secret (reference/xivo.md §11). What
comes is checked, gathered for a moment and handed to the engine in one message, for a busy site
posts thousands of states in a minute. The answer is 200 for whatever is well-formed: XUC must not
be told what BlueTel has a use for.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from asgiref.sync import async_to_sync
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseNotFound
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from bluetel.accounts.models import Pbx
from presence.live import publish_to_engine
from presence.messages import PushesMessage

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 16 * 1024
GATHERED_FOR: Final = 0.05
MOST_AT_ONCE: Final = 2000
MOST_WAITING: Final = 50_000


class Gathering:
    """What came in since the last hand-over, by PBX; thread-safe.

    Of two states of one person the later takes the earlier's place: both are whole. Calls' steps
    are all kept. ``hand_over`` is called from a thread of its own, never twice at once.
    """

    def __init__(
        self,
        hand_over: Callable[[int, list[object]], None],
        *,
        wait: Callable[[float, Callable[[], None]], None],
    ) -> None:
        """``wait`` has something done after some seconds; tests do it at once."""
        self._hand_over = hand_over
        self._wait = wait
        self._lock = threading.Lock()
        self._handing = threading.Lock()
        self._waiting: dict[int, OrderedDict[object, object]] = {}
        self._count = 0
        self._is_due = False
        self.dropped = 0

    def add(self, pbx_id: int, body: Mapping[str, object]) -> None:
        """Take one push; far more than an engine can take are dropped and counted."""
        with self._lock:
            if self._count >= MOST_WAITING:
                self.dropped += 1
                return
            waiting = self._waiting.setdefault(pbx_id, OrderedDict())
            key: object = ("state", body.get("username")) if "status" in body else self._count
            before = len(waiting)
            waiting.pop(key, None)
            waiting[key] = body
            self._count += max(0, len(waiting) - before)
            if self._is_due:
                return
            self._is_due = True
        self._wait(GATHERED_FOR, self.flush)

    def flush(self) -> None:
        """Hand everything over."""
        with self._handing:
            with self._lock:
                taken, self._waiting = self._waiting, {}
                self._count, self._is_due = 0, False
            for pbx_id, waiting in taken.items():
                bodies = list(waiting.values())
                for start in range(0, len(bodies), MOST_AT_ONCE):
                    self._hand_over(pbx_id, bodies[start : start + MOST_AT_ONCE])


def _to_engine(pbx_id: int, bodies: list[object]) -> None:
    message = PushesMessage(type="pushes", pbx=pbx_id, bodies=bodies)
    async_to_sync(publish_to_engine)(message)


def _later(seconds: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()


gathering = Gathering(_to_engine, wait=_later)


def read_push(data: bytes) -> Mapping[str, object] | None:
    """The body of a push, None where it is neither shape."""
    if len(data) > MOST_BYTES:
        return None
    try:
        body: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or not isinstance(body.get("username"), str):
        return None
    is_state = isinstance(body.get("status"), int | str)
    return body if is_state or isinstance(body.get("message"), dict) else None


@csrf_exempt
@require_POST
def take_push(request: HttpRequest, name: str, secret: str) -> HttpResponse:
    """Take one push; a wrong secret and an unknown PBX look alike."""
    pbx = Pbx.objects.filter(name=name).first()
    expected = pbx.push_secret if pbx is not None else ""
    # Compared also where there is nothing to compare with: the time must not tell.
    is_right = compare_digest((expected or "-" * 43).encode(), secret.encode())
    if pbx is None or not expected or not is_right:
        return HttpResponseNotFound()
    body = read_push(request.read(MOST_BYTES + 1))
    if body is None:
        return HttpResponseBadRequest()
    gathering.add(pbx.pk, body)
    return HttpResponse()
