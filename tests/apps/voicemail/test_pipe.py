"""``manage.py rewrite_voicemail`` as Postfix runs it: the mail goes on, whatever breaks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from bluetel import mail_pipe
from tests import migrated
from tests.apps.house import NOW, House
from tests.apps.voicemail.pbx_mails import pbx_mail
from voicemail.pipe import rewritten

ROOT = Path(__file__).resolve().parents[3]


def link_in(mail: bytes) -> str:
    found = re.search(rb"http://[^/]+(/voicemail/call-back/\S+)", mail)
    assert found is not None
    return found[1].decode()


# --- What it does -------------------------------------------------------------------------------


@pytest.fixture
def mail(house: House) -> bytes:
    camille = house.user("1001")
    return pbx_mail("0199004217", "Helene").replace(b"camille@house.test", camille.email.encode())


def test_the_recipient_finds_a_link_to_call_back(house: House, mail: bytes) -> None:
    changed = rewritten(mail, recipient="", now=NOW)
    assert b"Call 01 99 00 42 17 back:\r\n" in changed
    assert link_in(changed)


def test_the_words_are_in_his_language(house: House, mail: bytes) -> None:
    camille = house.user("1001")
    camille.language = "fr"
    camille.save()
    assert b"Rappeler 01 99 00 42 17:\r\n" in rewritten(mail, recipient="", now=NOW)


def test_the_boxs_number_tells_whose_it_is_too(house: House) -> None:
    assert b"call-back" in rewritten(pbx_mail(box="1001"), recipient="", now=NOW)


def test_others_mails_pass_unchanged(house: House, mail: bytes, settings: Settings) -> None:
    plain = b"From: a@b.test\r\nTo: c@d.test\r\n\r\nhello\r\n"
    assert rewritten(plain, recipient="", now=NOW) == plain
    unknown = pbx_mail(box="4711")
    assert rewritten(unknown, recipient="", now=NOW) == unknown
    withheld = pbx_mail(None)
    assert rewritten(withheld, recipient="", now=NOW) == withheld
    settings.VOICEMAIL_SENDERS = ("wazo@another.test",)
    assert rewritten(mail, recipient="", now=NOW) == mail


@pytest.fixture
def site(tmp_path: Path, django_db_setup: None) -> Path:
    """The data directory of a site with all tables, on SQLite as always here."""
    if migrated.FILE.exists():
        shutil.copy(migrated.FILE, tmp_path / "bluetel.sqlite3")
    else:
        assert manage("migrate", folder=tmp_path).returncode == 0
    return tmp_path


@pytest.mark.once
@pytest.mark.timeout(300)
def test_the_command_rewrites_a_mail_of_a_real_site(site: Path) -> None:
    assert manage("shell", "-c", MAKE_CAMILLE, folder=site).returncode == 0
    mail = pbx_mail("0199004217", box="1001")
    inside = manage(
        "rewrite_voicemail",
        "--inside",
        folder=site,
        mail=mail,
        DJANGO_SETTINGS_MODULE=mail_pipe.SETTINGS,
    )
    assert inside.returncode == 0, inside.stderr
    assert b"Call 01 99 00 42 17 back:\r\nhttp://127.0.0.1:8000/voicemail/call-back/" in (
        inside.stdout
    )


MAKE_CAMILLE = """
from bluetel.accounts.models import User
User.objects.create(username="camille", extension="1001")
"""


# --- Whatever breaks ----------------------------------------------------------------------------


def manage(
    *command: str, folder: Path, mail: bytes = b"", **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """Run ``manage.py`` as an administrator's shell does, with a data directory of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BLUETEL_")}
    clean.pop("DJANGO_SETTINGS_MODULE", None)
    clean.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        input=mail,
        capture_output=True,
        env={**clean, "BLUETEL_DATA_DIR": str(folder), **environ},
        timeout=200,
        check=False,
    )


def piped(mail: bytes, *, folder: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return manage("rewrite_voicemail", folder=folder, mail=mail, **environ)


@pytest.mark.once
@pytest.mark.parametrize(
    "environ",
    [
        {"BLUETEL_NO_SUCH_SETTING": "1"},
        {"BLUETEL_COUNTRY": "nowhere"},
        {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"},
        {"DATABASE_URL": "sqlite:////no/such/folder/db.sqlite3"},
        {},
    ],
    ids=["unknown setting", "wrong setting", "database down", "no database", "no tables"],
)
@pytest.mark.timeout(60)
def test_a_mail_passes_byte_for_byte_when_bluetel_is_broken(
    environ: dict[str, str], tmp_path: Path
) -> None:
    mail = pbx_mail()
    done = piped(mail, folder=tmp_path, **environ)
    assert (done.returncode, done.stdout) == (0, mail)
    assert b"passed unchanged" in done.stderr
    assert b"0199004217" not in done.stderr


@pytest.mark.once
@pytest.mark.timeout(60)
def test_no_bytes_at_all_pass_too(tmp_path: Path) -> None:
    done = piped(b"", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")


OUTER = """
import sys
from bluetel import mail_pipe
from tests import migrated
mail_pipe.PATIENCE = float(sys.argv[1])
sys.exit(mail_pipe.main(["-c", sys.argv[2]]))
"""


def run_pipe(program: str, mail: bytes, patience: float) -> subprocess.CompletedProcess[bytes]:
    """The outer half over a child of the test's own."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            OUTER,
            str(patience),
            program,
        ],
        cwd=ROOT,
        input=mail,
        capture_output=True,
        timeout=30,
        check=False,
    )


@pytest.mark.once
def test_a_mail_passes_when_five_seconds_are_over() -> None:
    assert mail_pipe.PATIENCE == 5.0
    forever = "import threading; print('half', flush=True); threading.Event().wait()"
    done = run_pipe(forever, b"a mail\r\n", 0.5)
    assert (done.returncode, done.stdout) == (0, b"a mail\r\n")
    assert b"TimeoutExpired" in done.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    "program",
    [
        "import os; print('half', flush=True); os.kill(os.getpid(), 9)",
        "import sys; print('half'); sys.exit(1)",
        "pass",
        "this is no Python",
    ],
)
def test_a_mail_passes_when_the_child_dies_or_says_nothing(program: str) -> None:
    done = run_pipe(program, b"a mail\r\n", 10)
    assert (done.returncode, done.stdout) == (0, b"a mail\r\n")


@pytest.mark.once
def test_what_the_child_writes_is_the_mail() -> None:
    copy = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read().upper())"
    done = run_pipe(copy, b"a mail\r\n", 10)
    assert done.stdout == b"A MAIL\r\n"


def test_the_link_of_the_bar_leads_to_a_page_that_calls_nobody(house: House, mail: bytes) -> None:
    link = link_in(rewritten(mail, recipient="", now=timezone.now()))
    assert Client().get(link).status_code == 302
    page = house.browser("1001").get(link).content.decode()
    assert "Call 01 99 00 42 17 back" in page
    assert not house.has_call("1001")
