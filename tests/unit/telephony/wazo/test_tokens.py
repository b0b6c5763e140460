"""One sign-in at a time; each token deleted once, when nobody uses it any more."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bluetel.telephony.errors import (
    AuthenticationFailed,
    PbxUnavailable,
    TelephonyError,
    TokenExpired,
)
from bluetel.telephony.http import Deadline
from bluetel.telephony.wazo.tokens import HOLD_OFF, TokenKeeper


class Office:
    """Gives tokens t1, t2, … of 100 s, and keeps book."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.given = 0
        self.revoked: list[str] = []
        self.error: BaseException | None = None
        self.door = threading.Event()
        self.door.set()
        self.waiting = threading.Event()

    def sign_in(self, _deadline: Deadline | None) -> tuple[str, str, float]:
        self.waiting.set()
        assert self.door.wait(5)
        if self.error is not None:
            raise self.error
        self.given += 1
        return f"t{self.given}", "tenant", 100.0

    def keeper(self) -> TokenKeeper:
        return TokenKeeper(self.sign_in, self.revoked.append, clock=lambda: self.now)


@pytest.fixture
def office() -> Office:
    return Office()


def use(keeper: TokenKeeper) -> str:
    with keeper.lent() as token:
        return token.id


def test_the_first_loan_signs_in_and_the_next_ones_share_it(office: Office) -> None:
    keeper = office.keeper()
    assert [use(keeper), use(keeper)] == ["t1", "t1"]
    assert office.revoked == []


def test_it_is_renewed_at_three_quarters_of_its_life_and_the_old_one_deleted(
    office: Office,
) -> None:
    keeper = office.keeper()
    use(keeper)
    office.now += 74.9
    assert use(keeper) == "t1"
    office.now += 0.2
    assert use(keeper) == "t2"
    assert office.revoked == ["t1"]


def test_a_token_in_use_is_deleted_only_when_it_comes_back(office: Office) -> None:
    keeper = office.keeper()
    old = keeper.borrow()
    office.now += 80
    assert use(keeper) == "t2"
    assert office.revoked == []
    keeper.give_back(old)
    assert office.revoked == ["t1"]


def test_many_threads_at_once_sign_in_once(office: Office) -> None:
    keeper = office.keeper()
    office.door.clear()
    with ThreadPoolExecutor(16) as threads:
        waiting = [threads.submit(use, keeper) for _ in range(16)]
        office.waiting.wait(5)
        office.door.set()
        assert {one.result(5) for one in waiting} == {"t1"}
    assert office.given == 1


def test_while_one_renews_the_others_go_on_with_the_old_token(office: Office) -> None:
    keeper = office.keeper()
    use(keeper)
    office.now += 80
    office.waiting.clear()
    office.door.clear()
    with ThreadPoolExecutor(1) as threads:
        renewing = threads.submit(use, keeper)
        assert office.waiting.wait(5)
        assert use(keeper) == "t1"
        office.door.set()
        assert renewing.result(5) == "t2"


def test_a_storm_of_refusals_of_one_token_replaces_it_once(office: Office) -> None:
    keeper = office.keeper()
    storm = [keeper.borrow() for _ in range(20)]
    for token in storm:
        keeper.refused(token)
        keeper.give_back(token)
    assert use(keeper) == "t2"
    assert (office.given, office.revoked) == (2, ["t1"])


def test_tokens_refused_again_and_again_make_it_pause(office: Office) -> None:
    keeper = office.keeper()
    for _ in range(5):
        with keeper.lent() as token:
            keeper.refused(token)
    with pytest.raises(TokenExpired):
        use(keeper)
    office.now += HOLD_OFF
    assert use(keeper) == "t6"


def test_a_failed_sign_in_answers_for_everybody_for_a_while(office: Office) -> None:
    keeper = office.keeper()
    office.error = AuthenticationFailed("wrong")
    with pytest.raises(AuthenticationFailed):
        use(keeper)
    office.error = None
    with pytest.raises(AuthenticationFailed):
        use(keeper)
    assert office.given == 0
    office.now += HOLD_OFF
    assert use(keeper) == "t1"


def test_who_waits_for_a_failing_sign_in_hears_of_the_failure(office: Office) -> None:
    keeper = office.keeper()
    office.error = PbxUnavailable("away")
    office.door.clear()

    def failing() -> type[TelephonyError]:
        try:
            use(keeper)
        except TelephonyError as exc:
            return type(exc)
        raise AssertionError

    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(failing) for _ in range(8)]
        office.waiting.wait(5)
        office.door.set()
        assert {one.result(5) for one in waiting} == {PbxUnavailable}


def test_a_failed_renewal_leaves_the_old_token_in_service(office: Office) -> None:
    keeper = office.keeper()
    use(keeper)
    office.now += 80
    office.error = PbxUnavailable("away")
    assert [use(keeper), use(keeper)] == ["t1", "t1"]
    office.now += 30
    with pytest.raises(PbxUnavailable):
        use(keeper)


def test_no_one_waits_longer_than_his_deadline(office: Office) -> None:
    keeper = office.keeper()
    office.door.clear()
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(use, keeper)
        assert office.waiting.wait(5)
        with pytest.raises(PbxUnavailable, match="too long"):
            keeper.borrow(deadline=Deadline(0.01))
        office.door.set()
        assert slow.result(5) == "t1"


def test_a_crash_while_signing_in_lets_the_next_one_try(office: Office) -> None:
    keeper = office.keeper()
    office.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        use(keeper)
    office.error = None
    assert use(keeper) == "t1"


def test_a_retired_keeper_says_which_token_to_delete_once(office: Office) -> None:
    keeper = office.keeper()
    use(keeper)
    assert [keeper.retire(), keeper.retire()] == ["t1", None]
    assert office.revoked == []


def test_a_token_still_lent_is_deleted_when_it_comes_back(office: Office) -> None:
    keeper = office.keeper()
    token = keeper.borrow()
    assert keeper.retire() is None
    assert office.revoked == []
    keeper.give_back(token)
    assert office.revoked == ["t1"]


def test_how_long_a_token_is_good_for(office: Office) -> None:
    keeper = office.keeper()
    with keeper.lent() as token:
        assert keeper.seconds_to_renewal(token) == 75.0
        office.now += 200
        assert keeper.seconds_to_renewal(token) == 0.0


def test_a_token_never_shows_in_a_repr(office: Office) -> None:
    with office.keeper().lent() as token:
        assert "t1" not in repr(token)
