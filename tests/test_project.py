"""The repository: documented settings, locked packages, complete translations, clean files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import polib
import pytest
import yaml
from django.utils.translation.template import templatize
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from urllib3._version import __version__ as imported_urllib3

from bluetel.env import PLAIN_NAMES, PREFIX, SECRETS, Environment

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CATALOGUES = sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po"))
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)")

# Written apart, so that this file doesn't find itself.
REGISTRIES = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "deb." + "debian.org"]
MACHINE_PATHS = [
    "/wo" + "rk/main",
    "/wo" + "rk/shared",
    "/wo" + "rk/.library",
    "/" + "root/",
    "/" + "home/",
]


def tracked_files() -> list[Path]:
    """What git would hand to somebody who clones."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def text_files() -> Iterator[tuple[Path, str]]:
    """The tracked files that are text."""
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT), content.decode("utf-8", errors="replace")


# --- Settings -----------------------------------------------------------------------------------


def documented_settings() -> set[str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^# ((?:BLUETEL_|DATABASE_|REDIS_)[A-Z_]+)=", text, re.MULTILINE))


def settings() -> set[str]:
    return {
        str(field.validation_alias) if field.validation_alias else PREFIX + name.upper()
        for name, field in Environment.model_fields.items()
    }


def test_the_example_environment_lists_every_setting_and_no_other() -> None:
    assert documented_settings() == settings()


def test_every_secret_is_a_setting() -> None:
    assert {PREFIX + name for name in SECRETS} | set(PLAIN_NAMES) <= settings()


# --- Packages -----------------------------------------------------------------------------------


def locked(name: str) -> dict[str, str]:
    """The versions in a locked list, by package; the hashes are checked on the way."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    versions: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", text.replace("\\\n", " ")):
        if entry.startswith("#") or not entry.strip():
            continue
        assert "--hash=sha256:" in entry, f"no hash: {entry[:60]}"
        pinned = Requirement(entry.split("--hash")[0].split("#")[0].strip())
        if pinned.marker is None or pinned.marker.evaluate():
            (specifier,) = pinned.specifier
            assert specifier.operator == "=="
            versions[canonicalize_name(pinned.name)] = specifier.version
    return versions


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        pytest.param("runtime", PROJECT["dependencies"], id="runtime"),
        pytest.param("dev", PROJECT["dependencies"], id="runtime in dev"),
        pytest.param("dev", PROJECT["optional-dependencies"]["dev"], id="dev"),
    ],
)
def test_the_locked_lists_satisfy_the_project(name: str, asked: list[str]) -> None:
    versions = locked(name)
    for requirement in map(Requirement, asked):
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not locked: make lock"
        assert Version(version) in requirement.specifier, f"{requirement.name}: make lock"


def test_tests_run_on_the_versions_that_production_runs_on() -> None:
    runtime, dev = locked("runtime"), locked("dev")
    assert {name: dev.get(name) for name in runtime} == runtime


def test_every_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("dependencies = [", 1)[1].split("\n]", 1)[0]
    without = [line for line in block.strip().splitlines() if "#" not in line]
    assert not without


def test_urllib3_is_urllib3() -> None:
    """A fork of it exists that puts itself in its place when some CalDAV library is installed."""
    assert imported_urllib3 == locked("runtime")["urllib3"] == metadata.version("urllib3")
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("urllib3-future")


# --- What others read ---------------------------------------------------------------------------


@pytest.mark.parametrize("forbidden", [*REGISTRIES, *MACHINE_PATHS])
def test_no_file_names_a_registry_or_a_folder_of_somebodys_machine(forbidden: str) -> None:
    found = [
        f"{path}:{text[: text.index(forbidden)].count(chr(10)) + 1}"
        for path, text in text_files()
        if forbidden in text
    ]
    assert not found


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{path}: {target}"
        for path, text in text_files()
        if path.suffix == ".md"
        for target in LINK.findall(text)
        if not (ROOT / path.parent / target).exists()
    ]
    assert not broken


def test_every_document_that_the_code_names_exists() -> None:
    named = {
        (str(path), document)
        for path, text in text_files()
        if path.suffix in {".py", ".js", ".css", ".html", ".toml"}
        for document in re.findall(r"\bdocs/[\w/-]+\.md", text)
    }
    assert named
    assert [pair for pair in sorted(named) if not (ROOT / pair[1]).exists()] == []


def test_the_readme_shows_the_two_commands_first() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^(?:    )?(make \w+)", readme, re.MULTILINE)
    assert commands[:2] == ["make run", "make test"]


def test_every_make_target_that_a_document_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9]+):", makefile, re.MULTILINE))
    named = {
        target
        for path, text in text_files()
        if path.suffix == ".md"
        for target in re.findall(r"(?:`|^ {4})make ([a-z0-9]+)\b", text, re.MULTILINE)
    }
    assert named <= targets


def test_the_administrators_page_lists_every_command() -> None:
    page = (ROOT / "docs" / "administration.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)", page, re.MULTILINE))
    commands = {path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py")}
    assert documented == commands


def test_every_decision_says_its_status_context_decision_and_consequences() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert len(set(numbers)) == len(numbers)
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        for heading in ("## Status", "## Context", "## Decision", "## Consequences"):
            assert heading in text, f"{path.name}: {heading}"


def test_the_version_is_the_changelogs_newest() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert newest
    assert newest[1] == PROJECT["version"]


# --- Containers ---------------------------------------------------------------------------------


def test_the_containers_are_web_engine_database_and_redis() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert {"web", "engine", "postgres", "redis"} <= set(services)
    for name in ("web", "engine"):
        environment = services[name]["environment"]
        assert environment["DATABASE_URL"].startswith("postgresql://")
        assert environment["REDIS_URL"].startswith("redis://")
        assert set(environment) <= settings()
    web = services["web"]
    assert web["environment"]["BLUETEL_HOST"] == "0.0.0.0"  # noqa: S104 — within the container
    assert web["expose"] == [web["environment"]["BLUETEL_PORT"]]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"], name
    commands = ROOT / "bluetel" / "management" / "commands"
    for name in ("web", "engine"):
        assert (commands / f"{services[name]['command'][0]}.py").exists(), name


def test_the_image_carries_every_package_the_settings_load() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY (\w+) /app/", dockerfile, re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert packages <= copied
    assert {"templates", "static", "locale"} <= copied


# --- Translations -------------------------------------------------------------------------------


def test_there_is_a_french_catalogue() -> None:
    assert (ROOT / "locale/fr/LC_MESSAGES/django.po") in CATALOGUES


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_the_catalogue_is_complete(path: Path) -> None:
    catalogue = polib.pofile(str(path))
    unfinished = [entry.msgid for entry in catalogue.untranslated_entries()]
    unfinished += [entry.msgid for entry in catalogue.fuzzy_entries()]
    assert not unfinished


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_translations_keep_the_placeholders(path: Path) -> None:
    placeholders = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
    for entry in polib.pofile(str(path)).translated_entries():
        sources = {entry.msgid, entry.msgid_plural} - {""}
        expected = set().union(*(placeholders.findall(text) for text in sources))
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            if text:
                assert set(placeholders.findall(text)) <= expected, entry.msgid
        used = {
            part
            for text in [entry.msgstr, *entry.msgstr_plural.values()]
            for part in placeholders.findall(text)
        }
        assert used == expected or entry.msgid_plural, entry.msgid


def test_french_signs_keep_to_their_words() -> None:
    """A line never begins with a sign: the space before it is one that doesn't break."""
    catalogue = polib.pofile(str(ROOT / "locale/fr/LC_MESSAGES/django.po"))
    loose = re.compile(r" [?!:;»]|« ")
    texts = [text for entry in catalogue for text in (entry.msgstr, *entry.msgstr_plural.values())]
    assert [text for text in texts if loose.search(text)] == []


def test_voicemail_has_one_name_in_french() -> None:
    """That of its page and of the settings."""
    catalogue = polib.pofile(str(ROOT / "locale/fr/LC_MESSAGES/django.po"))
    others = re.compile("messagerie vocale|boîte vocale", re.IGNORECASE)
    texts = [text for entry in catalogue for text in (entry.msgstr, *entry.msgstr_plural.values())]
    assert [text for text in texts if others.search(text)] == []


def test_a_text_that_has_a_plural_is_always_asked_for_with_a_number() -> None:
    """Python up to 3.11.4 has no translation of it otherwise."""
    catalogue = polib.pofile(str(ROOT / "locale/fr/LC_MESSAGES/django.po"))
    counted = [re.escape(entry.msgid) for entry in catalogue if entry.msgid_plural]
    alone = re.compile(rf"""(?:translate |\b_\(|\bgettext\()["'](?:{"|".join(counted)})["']""")
    assert [(path, found) for path, text in text_files() if (found := alone.findall(text))] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_the_compiled_catalogue_is_the_written_one(path: Path) -> None:
    assert path.with_suffix(".mo").exists(), "make messages"
    compiled = {
        (entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural)
        for entry in polib.mofile(str(path.with_suffix(".mo")))
    }
    written = {
        (entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural)
        for entry in polib.pofile(str(path)).translated_entries()
    }
    assert compiled == written, "make messages"


def test_the_catalogue_has_every_text_of_code_and_pages(tmp_path: Path) -> None:
    """What ``make messages`` would add is missing in French."""
    if shutil.which("xgettext") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("gettext is not installed")
    sources: list[str] = []
    for number, (path, text) in enumerate(text_files()):
        if path.suffix == ".py" and path.parts[0] not in {"tests", "bench", "scripts"}:
            sources.append(str(path))
        elif path.suffix == ".html" and path.parts[0] == "templates":
            copy = tmp_path / f"{number}.py"
            copy.write_text(templatize(text), encoding="utf-8")
            sources.append(str(copy))
    collected = tmp_path / "all.pot"
    keywords = ["gettext_noop", "gettext_lazy", "_", "ngettext_lazy:1,2"]
    keywords += ["pgettext:1c,2", "pgettext_lazy:1c,2", "npgettext:1c,2,3", "npgettext_lazy:1c,2,3"]
    subprocess.run(
        [
            *["xgettext", "--language=Python", "--from-code=UTF-8", "--no-location"],
            *[f"--keyword={keyword}" for keyword in keywords],
            *["--output", str(collected), *sources],
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    known = {
        (entry.msgctxt, entry.msgid)
        for entry in polib.pofile(str(ROOT / "locale/fr/LC_MESSAGES/django.po"))
    }
    used = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(collected))}
    missing = used - known
    assert not missing
