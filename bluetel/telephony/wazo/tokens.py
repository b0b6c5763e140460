"""Keeps the service account signed in: one sign-in at a time, however many threads ask.

A token is renewed at 75 % of its life. The old one is deleted as soon as the last request, or the
event socket, has let go of it, so that the account stays far from Wazo's 100 sessions and no
request in flight loses its token.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bluetel.telephony.errors import PbxUnavailable, TelephonyError, TokenExpired
from bluetel.telephony.http import Deadline

RENEW_AFTER = 0.75
HOLD_OFF = 2.0
"""Seconds in which a failed sign-in answers for everybody: password hashes cost the PBX CPU."""

MOST_REPLACEMENTS = 5
REPLACEMENT_WINDOW = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Token:
    """A token in use; times are on the keeper's clock, ``id`` never shows in a repr."""

    id: str = field(repr=False)
    tenant: str
    renew_at: float
    expires_at: float


class TokenKeeper:
    """Lends the current token out; thread-safe.

    ``sign_in`` takes a deadline and gives (token, tenant, life in seconds); ``revoke`` deletes a
    token and raises nothing.
    """

    def __init__(
        self,
        sign_in: Callable[[Deadline | None], tuple[str, str, float]],
        revoke: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is signed in before the first token is asked for."""
        self._sign_in = sign_in
        self._revoke = revoke
        self._clock = clock
        self._changed = threading.Condition()
        self._current: Token | None = None
        self._uses: Counter[Token] = Counter()
        self._is_signing_in = False
        self._failure: TelephonyError | None = None
        self._failed_until = 0.0
        self._replaced: deque[float] = deque(maxlen=MOST_REPLACEMENTS)

    @contextmanager
    def lent(self, *, deadline: Deadline | None = None) -> Iterator[Token]:
        """A token for the length of a block."""
        token = self.borrow(deadline=deadline)
        try:
            yield token
        finally:
            self.give_back(token)

    def borrow(self, *, deadline: Deadline | None = None) -> Token:
        """A valid token, signed in or renewed where needed; to be given back.

        While one thread renews, the others go on with the old token as long as it lives. Raises
        what signing in raises; for ``HOLD_OFF`` seconds everybody gets that same failure.
        """
        with self._changed:
            while True:
                now = self._clock()
                token = self._current
                is_usable = token is not None and now < token.expires_at
                is_fresh = token is not None and now < token.renew_at
                can_try = not self._is_signing_in and now >= self._failed_until
                if token is not None and is_usable and (is_fresh or not can_try):
                    self._uses[token] += 1
                    return token
                if can_try:
                    self._is_signing_in = True
                    break
                if self._failure is not None and now < self._failed_until:
                    raise self._failure.with_traceback(None)
                left = None if deadline is None else deadline.remaining()
                if not self._changed.wait(left):
                    raise PbxUnavailable("signing in takes too long")
        return self._renewed(deadline)

    def give_back(self, token: Token) -> None:
        """End a loan; the last user of a replaced token has it deleted."""
        with self._changed:
            self._uses[token] -= 1
            is_over = self._uses[token] <= 0
            if is_over:
                del self._uses[token]
            is_over = is_over and token is not self._current
        if is_over:
            self._revoke(token.id)

    def refused(self, token: Token) -> None:
        """The PBX doesn't know this token any more: the next loan is another one.

        Many threads may say so of one token; it is replaced once. If new tokens are refused again
        and again, signing in pauses.
        """
        with self._changed:
            if self._current is not token:
                return
            self._current = None
            now = self._clock()
            self._replaced.append(now)
            is_full = len(self._replaced) == MOST_REPLACEMENTS
            if is_full and now - self._replaced[0] < REPLACEMENT_WINDOW:
                self._failure = TokenExpired("the PBX refuses the tokens it gives")
                self._failed_until = now + HOLD_OFF

    def seconds_to_renewal(self, token: Token) -> float:
        """How long this token may still be used without thought, never below 0."""
        return max(0.0, token.renew_at - self._clock())

    def retire(self) -> str | None:
        """Lend nothing that is known now any more, and give the token that is to be deleted.

        None where there is none, or where it is still lent: it is deleted when it comes back.
        """
        with self._changed:
            token, self._current = self._current, None
            is_free = token is not None and not self._uses[token]
        return token.id if token is not None and is_free else None

    def _renewed(self, deadline: Deadline | None) -> Token:
        try:
            text, tenant, life = self._sign_in(deadline)
        except TelephonyError as exc:
            return self._after_failure(exc)
        except BaseException:
            with self._changed:
                self._is_signing_in = False
                self._changed.notify_all()
            raise
        now = self._clock()
        token = Token(
            id=text, tenant=tenant, renew_at=now + life * RENEW_AFTER, expires_at=now + life
        )
        with self._changed:
            old, self._current = self._current, token
            self._uses[token] += 1
            self._is_signing_in = False
            self._failure = None
            is_free = old is not None and not self._uses[old]
            self._changed.notify_all()
        if old is not None and is_free:
            self._revoke(old.id)
        return token

    def _after_failure(self, failure: TelephonyError) -> Token:
        """Let the old token serve on if it lives; else tell everybody who waits."""
        with self._changed:
            self._is_signing_in = False
            now = self._clock()
            self._failure = failure
            self._failed_until = now + HOLD_OFF
            self._changed.notify_all()
            token = self._current
            if token is not None and now < token.expires_at:
                self._uses[token] += 1
                return token
        raise failure
