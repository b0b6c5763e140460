"""The installation's own secret."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bluetel.env import SettingsError
from bluetel.secret_key import secret_key


def test_a_given_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert secret_key("given", data_dir=tmp_path) == "given"
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    first = secret_key("", data_dir=tmp_path / "var")
    assert secret_key("", data_dir=tmp_path / "var") == first
    assert len(first) > 50
    mode = stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode)
    assert mode == 0o600


def test_many_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key("", data_dir=tmp_path), range(32)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_kept_key_that_is_no_text_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_bytes(bytes(range(128, 192)))
    with pytest.raises(SettingsError, match="secret_key is not the key that was made there"):
        secret_key("", data_dir=tmp_path)


def test_a_kept_key_that_can_not_be_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret_key").mkdir()
    with pytest.raises(SettingsError, match="secret_key can't be read or made: "):
        secret_key("", data_dir=tmp_path)
