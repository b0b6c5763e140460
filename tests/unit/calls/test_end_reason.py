from __future__ import annotations

import itertools

import pytest

from bluetel.calls.rules import EndReason, end_reason
from bluetel.telephony.types import CallState, Direction

OUT, IN = Direction.OUTGOING, Direction.INCOMING
SELF, PEER = CallState.RINGING_SELF, CallState.RINGING_PEER
TALKING, HELD = CallState.TALKING, CallState.HELD


def why(
    direction: Direction, reached: CallState, cause: int | None, *, cancelled: bool = False
) -> EndReason:
    return end_reason(
        reached=reached, cause=cause, cancelled_by_user=cancelled, direction=direction
    )


@pytest.mark.parametrize(
    ("direction", "reached", "cause", "expected"),
    [
        # The user clicked; his own phone rings.
        pytest.param(OUT, SELF, 19, EndReason.YOU_DID_NOT_ANSWER, id="own phone rang out"),
        pytest.param(OUT, SELF, 18, EndReason.YOU_DID_NOT_ANSWER, id="own phone silent"),
        pytest.param(OUT, SELF, 21, EndReason.YOU_DID_NOT_ANSWER, id="own phone rejected"),
        pytest.param(OUT, SELF, 17, EndReason.YOU_DID_NOT_ANSWER, id="own phone says busy"),
        pytest.param(OUT, SELF, 16, EndReason.YOU_DID_NOT_ANSWER, id="own phone, normal"),
        pytest.param(OUT, SELF, 26, EndReason.YOU_DID_NOT_ANSWER, id="own phone, elsewhere"),
        pytest.param(OUT, SELF, 127, EndReason.YOU_DID_NOT_ANSWER, id="own phone, 127"),
        pytest.param(OUT, SELF, None, EndReason.YOU_DID_NOT_ANSWER, id="own phone, no cause"),
        pytest.param(OUT, SELF, 27, EndReason.UNREACHABLE, id="own phone unplugged"),
        pytest.param(OUT, SELF, 1, EndReason.UNREACHABLE, id="no such number, told early"),
        pytest.param(OUT, SELF, 38, EndReason.FAILED, id="own phone, network broken"),
        # He picked up; the other side rings.
        pytest.param(OUT, PEER, 17, EndReason.BUSY, id="peer busy"),
        pytest.param(OUT, PEER, 18, EndReason.NO_ANSWER, id="peer not responding"),
        pytest.param(OUT, PEER, 19, EndReason.NO_ANSWER, id="peer rang out"),
        pytest.param(OUT, PEER, 21, EndReason.REFUSED, id="peer rejected"),
        pytest.param(OUT, PEER, 1, EndReason.UNREACHABLE, id="unallocated number"),
        pytest.param(OUT, PEER, 3, EndReason.UNREACHABLE, id="no route"),
        pytest.param(OUT, PEER, 20, EndReason.UNREACHABLE, id="peer absent"),
        pytest.param(OUT, PEER, 27, EndReason.UNREACHABLE, id="peer out of order"),
        pytest.param(OUT, PEER, 16, EndReason.CANCELLED, id="caller hung up on the handset"),
        pytest.param(OUT, PEER, 127, EndReason.CANCELLED, id="caller gave up, as Wazo says it"),
        pytest.param(OUT, PEER, 34, EndReason.FAILED, id="congestion"),
        pytest.param(OUT, PEER, None, EndReason.FAILED, id="the PBX doesn't say"),
        # They talked.
        pytest.param(OUT, TALKING, 16, EndReason.HUNG_UP, id="hung up"),
        pytest.param(OUT, TALKING, None, EndReason.HUNG_UP, id="hung up, no cause"),
        pytest.param(OUT, TALKING, 17, EndReason.HUNG_UP, id="busy can't be after talking"),
        pytest.param(OUT, HELD, 16, EndReason.HUNG_UP, id="hung up on hold"),
        pytest.param(OUT, TALKING, 38, EndReason.FAILED, id="the network broke"),
        pytest.param(OUT, TALKING, 27, EndReason.FAILED, id="a cable was pulled"),
        pytest.param(IN, TALKING, 16, EndReason.HUNG_UP, id="incoming, hung up"),
        pytest.param(IN, HELD, 41, EndReason.FAILED, id="incoming, broke on hold"),
        # A call came in.
        pytest.param(IN, SELF, 19, EndReason.YOU_DID_NOT_ANSWER, id="incoming rang out"),
        pytest.param(IN, SELF, 21, EndReason.YOU_DID_NOT_ANSWER, id="incoming rejected"),
        pytest.param(IN, SELF, 17, EndReason.YOU_DID_NOT_ANSWER, id="incoming declined as busy"),
        pytest.param(IN, SELF, 26, EndReason.YOU_DID_NOT_ANSWER, id="incoming taken elsewhere"),
        pytest.param(IN, SELF, None, EndReason.YOU_DID_NOT_ANSWER, id="incoming, no cause"),
        pytest.param(IN, SELF, 16, EndReason.CANCELLED, id="the caller gave up"),
        pytest.param(IN, SELF, 127, EndReason.CANCELLED, id="the caller gave up, Wazo"),
        pytest.param(IN, SELF, 20, EndReason.UNREACHABLE, id="incoming to an absent phone"),
        pytest.param(IN, SELF, 41, EndReason.FAILED, id="incoming broke"),
        pytest.param(IN, PEER, 16, EndReason.CANCELLED, id="incoming, sent on, given up"),
        # A call whose life nobody saw.
        pytest.param(OUT, CallState.ENDED, 17, EndReason.BUSY, id="unseen, busy"),
        pytest.param(OUT, CallState.ENDED, None, EndReason.FAILED, id="unseen, no cause"),
    ],
)
def test_how_a_call_ended(
    direction: Direction, reached: CallState, cause: int | None, expected: EndReason
) -> None:
    assert why(direction, reached, cause) is expected


@pytest.mark.parametrize(
    ("direction", "reached", "expected"),
    [
        pytest.param(OUT, SELF, EndReason.CANCELLED, id="while the own phone rings"),
        pytest.param(OUT, PEER, EndReason.CANCELLED, id="while the peer rings"),
        pytest.param(OUT, TALKING, EndReason.HUNG_UP, id="while talking"),
        pytest.param(OUT, HELD, EndReason.HUNG_UP, id="while on hold"),
        pytest.param(IN, SELF, EndReason.YOU_DID_NOT_ANSWER, id="declining a call"),
        pytest.param(IN, TALKING, EndReason.HUNG_UP, id="ending a call that came in"),
    ],
)
@pytest.mark.parametrize("cause", [None, 16, 17, 21, 38], ids=str)
def test_who_hangs_up_on_the_page_is_told_so_whatever_the_cause(
    direction: Direction, reached: CallState, expected: EndReason, cause: int | None
) -> None:
    assert why(direction, reached, cause, cancelled=True) is expected


def test_every_combination_has_a_reason() -> None:
    combinations = itertools.product(Direction, CallState, [None, *range(128)], [True, False])
    reasons = {
        why(direction, reached, cause, cancelled=cancelled)
        for direction, reached, cause, cancelled in combinations
    }
    assert reasons == set(EndReason)


def test_nobody_who_talked_reads_that_nobody_answered() -> None:
    for direction, reached, cause in itertools.product(Direction, [TALKING, HELD], range(128)):
        assert why(direction, reached, cause) in {EndReason.HUNG_UP, EndReason.FAILED}
