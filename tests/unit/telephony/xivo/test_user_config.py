"""A user's settings out of whole and partial updates."""

from __future__ import annotations

from typing import Any

import pytest

from bluetel.telephony.errors import Rejected
from bluetel.telephony.types import DirectoryEntry, Forward, ForwardKind, PbxUserId
from bluetel.telephony.xivo import decode
from bluetel.telephony.xivo.directory_table import entries
from bluetel.telephony.xivo.messages import ConfigUpdate, DirectoryResult, DirectoryRow
from bluetel.telephony.xivo.options import PresenceSource, XivoOptions, parse_options
from bluetel.telephony.xivo.user_config import UserConfig

OFF = {"Enabled": False, "Destination": ""}


def update(**fields: Any) -> ConfigUpdate:
    message = decode.message_of({"msgType": "UserConfigUpdate", "ctiMessage": fields})
    assert isinstance(message, ConfigUpdate)
    return message


def whole(**changes: Any) -> ConfigUpdate:
    return update(
        **{
            "fullName": "Inès Morvan",
            "mobileNumber": None,
            "dndEnabled": False,
            "voiceMailId": 3,
            "voiceMailEnabled": True,
            **{f"{prefix}{name}": value for prefix in PREFIXES for name, value in OFF.items()},
            **changes,
        }
    )


PREFIXES = ("uncFwd", "naFwd", "busyFwd")


def test_a_whole_update_tells_everything() -> None:
    config = UserConfig()
    changes = config.apply(whole(uncFwdEnabled=True, uncFwdDestination="1043"))

    assert config.is_complete
    assert config.has_voicemail
    assert config.forwards().by_kind[ForwardKind.UNCONDITIONAL] == Forward(
        enabled=True, destination="1043"
    )
    assert (changes.forwards, changes.do_not_disturb) == ({}, None)


def test_a_partial_update_alone_is_not_the_whole_truth() -> None:
    config = UserConfig()
    config.apply(
        update(fullName=None, dndEnabled=True, uncFwdEnabled=True, uncFwdDestination="1043")
    )

    assert not config.is_complete
    assert config.do_not_disturb is True


def test_a_partial_update_leaves_what_has_no_destination() -> None:
    config = UserConfig()
    config.apply(whole(busyFwdEnabled=True, busyFwdDestination="1044"))
    changes = config.apply(
        update(
            fullName=None,
            dndEnabled=False,
            uncFwdEnabled=True,
            uncFwdDestination="1043",
            busyFwdEnabled=False,
            busyFwdDestination=None,
        )
    )

    assert set(changes.forwards) == {ForwardKind.UNCONDITIONAL}
    assert config.forwards().by_kind[ForwardKind.BUSY].enabled


def test_do_not_disturb_counts_each_time() -> None:
    config = UserConfig()
    config.apply(whole(dndEnabled=True))
    changes = config.apply(update(fullName=None, dndEnabled=False))

    assert changes.do_not_disturb is False


def test_a_person_who_is_edited_is_noticed() -> None:
    config = UserConfig()
    config.apply(whole())
    assert not config.apply(whole()).is_person_changed

    assert config.apply(whole(mobileNumber="0639980001")).is_person_changed


@pytest.mark.parametrize(
    ("box", "enabled", "has"), [(3, True, True), (3, False, False), (None, True, False)]
)
def test_a_box_counts_when_it_is_there_and_switched_on(
    box: int | None, enabled: bool, has: bool
) -> None:
    config = UserConfig()
    config.apply(whole(voiceMailId=box, voiceMailEnabled=enabled))

    assert config.has_voicemail is has


# --- Columns and options ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "cells"),
    [
        (["Firstname", "Lastname", "Number", "Mobile"], ["Inès", "Morvan", "1005", "0639980001"]),
        (["Numéro", "Portable", "Nom"], ["1005", "0639980001", "Inès Morvan"]),
        (["NOM", "Favoris", "numero", "PORTABLE"], ["Inès Morvan", "true", "1005", "0639980001"]),
    ],
)
def test_columns_are_found_by_their_headers(headers: list[str], cells: list[str]) -> None:
    found = DirectoryResult(headers=headers, rows=[DirectoryRow(cells=cells, contact_id="4")])

    assert entries(found, XivoOptions(), users={"1005": PbxUserId("ines")}) == [
        DirectoryEntry(
            name="Inès Morvan",
            numbers=(("extension", "1005"), ("mobile", "0639980001")),
            user=PbxUserId("ines"),
            source="xivo",
            entry_id="4",
        )
    ]


def test_rows_shorter_than_the_headers_are_read() -> None:
    found = DirectoryResult(
        headers=["Nom", "Numéro"], rows=[DirectoryRow(cells=["Inès"]), DirectoryRow(cells=[])]
    )

    assert [entry.name for entry in entries(found, XivoOptions(), users={})] == ["Inès"]


def test_options_are_read_from_json_and_from_a_command_s_words() -> None:
    options = parse_options(
        {"presence": "push", "unique_ids": "false", "remote_makes": "Snom, Aastra"}
    )

    assert options.presence is PresenceSource.PUSH
    assert options.unique_ids is False
    assert options.remote_makes == ("Snom", "Aastra")


@pytest.mark.parametrize(
    "values",
    [{"nothing": 1}, {"unique_ids": "maybe"}, {"presence": "smoke"}, {"time_zone": "Mars/Phobos"}],
    ids=str,
)
def test_an_option_that_can_not_be_meant_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(Rejected):
        parse_options(values)
