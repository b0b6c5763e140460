"""Times on pages and in mails: 24 hours, in every language."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import override

AFTERNOON = datetime(2026, 11, 26, 15, 42, tzinfo=UTC)
NAMED = ("DATETIME_FORMAT", "SHORT_DATETIME_FORMAT", "TIME_FORMAT")


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
@pytest.mark.parametrize("form", NAMED)
def test_no_time_is_written_with_twelve_hours(language: str, form: str) -> None:
    with override(language):
        written = date_format(AFTERNOON, form)

    assert written.endswith("15:42")
    assert not re.search(r"[ap]\.?m", written.casefold())


def test_an_english_date_names_its_month() -> None:
    with override("en"):
        assert date_format(AFTERNOON, "SHORT_DATETIME_FORMAT") == "26 Nov 2026, 15:42"
        assert date_format(AFTERNOON, "DATETIME_FORMAT") == "26 November 2026, 15:42"
