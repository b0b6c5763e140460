"""The entries that a contact's texts have in the index."""

from __future__ import annotations

from contacts.index.postings import OTHER_WORDS, Texts, cut_of, entries_of, found_by

LONG = " ".join(f"w{place}" for place in range(OTHER_WORDS + 5))


def words_of(texts: Texts) -> set[str]:
    return {words for _, words in entries_of(1, texts)}


def test_a_name_is_found_by_each_of_its_words() -> None:
    assert words_of(Texts(name="Nadia Belkacem")) == {"nadia belkacem", "belkacem nadia"}


def test_a_long_text_is_found_by_its_first_words_and_takes_none_from_another() -> None:
    words = words_of(Texts(name="", others=[LONG, "", "Ateliers Brossard"]))
    assert {f"w{OTHER_WORDS - 1}", "ateliers", "brossard"} <= words
    assert f"w{OTHER_WORDS}" not in words


def test_texts_side_by_side_make_no_word_of_two() -> None:
    assert words_of(Texts(name="", others=["Ateliers", "a.b@c.test"])) == {
        "ateliers",
        "a",
        "b",
        "c",
        "test",
    }


def test_each_word_bears_the_mark_of_its_book_once() -> None:
    assert found_by(1, Texts(name="Zoé", others=["Zoé Gross"])).split() == [
        "aaaaaczoe",
        "aaaaacgross",
    ]


def test_of_a_term_as_much_is_asked_as_there_are_entries_for() -> None:
    assert [cut_of(term) for term in ("a", "ab", "abc", "abcd", "abcdef")] == [
        "a",
        "ab",
        "abc",
        "abc",
        "abcde",
    ]
