from __future__ import annotations

from bluetel.engine.pages import ASKS_FOR, FORGOTTEN_AFTER, Askers, OpenPages
from presence.messages import PageMessage, PagesMessage


def page(user: str, *, is_open: bool, process: str = "p1") -> PageMessage:
    return PageMessage(type="page", process=process, user=user, is_open=is_open)


def test_a_user_is_there_while_any_process_has_a_page_of_his() -> None:
    pages = OpenPages()
    pages.take(page("7", is_open=True), now=0)
    pages.take(page("7", is_open=True, process="p2"), now=0)
    assert pages.take(page("7", is_open=False), now=1) == {"7"}
    assert "7" in pages
    pages.take(page("7", is_open=False, process="p2"), now=1)
    assert "7" not in pages


def test_a_full_list_replaces_what_its_process_said_before() -> None:
    pages = OpenPages()
    pages.take(page("7", is_open=True), now=0)
    changed = pages.take(PagesMessage(type="pages", process="p1", users=["8"]), now=1)
    assert changed == {"7", "8"}
    assert "7" not in pages
    assert "8" in pages


def test_a_process_that_fell_silent_has_no_pages() -> None:
    pages = OpenPages()
    pages.take(page("7", is_open=True), now=0)
    pages.take(page("8", is_open=True, process="p2"), now=FORGOTTEN_AFTER)
    assert pages.expire(now=FORGOTTEN_AFTER + 1) == {"7"}
    assert "7" not in pages
    assert "8" in pages


def test_who_asked_lately_is_an_asker_and_asking_again_is_nothing_new() -> None:
    askers = Askers()
    assert askers.take("7", now=0)
    assert not askers.take("7", now=ASKS_FOR - 1)
    assert askers.users(now=ASKS_FOR + 1) == {"7"}
    assert askers.users(now=2 * ASKS_FOR) == set()
    assert askers.take("7", now=2 * ASKS_FOR)
