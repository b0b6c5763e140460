"""The programs behind ``make``: what they count, what they think is up to date."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def load(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(
        f"scripts_{name}", SCRIPTS / f"{name}.py"
    )
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look themselves up there
    specification.loader.exec_module(module)
    return module


stages = load("stages")
prepare = load("prepare")


class TestCounting:
    @pytest.mark.parametrize(
        ("output", "counts"),
        [
            pytest.param("....\n4 passed in 0.12s\n", (4, 0, 0), id="all passed"),
            pytest.param(
                "1 failed, 2 passed, 3 skipped, 1 error in 61.20s (0:01:01)\n",
                (2, 2, 3),
                id="mixed",
            ),
            pytest.param(
                "\x1b[32m\x1b[1m7 passed\x1b[0m in 1.00s\x1b[0m\n", (7, 0, 0), id="coloured"
            ),
            pytest.param("no tests ran in 0.01s\n", (0, 0, 0), id="nothing"),
            pytest.param("INTERNALERROR> boom\n", (0, 0, 0), id="a crash"),
            pytest.param("3 passed in 1.00s\n5 passed in 2.00s\n", (5, 0, 0), id="the last line"),
            pytest.param("ℹ tests 5\nℹ pass 4\nℹ fail 1\nℹ skipped 0\n", (4, 1, 0), id="node"),
        ],
    )
    def test_the_closing_lines_are_added_up(
        self, output: str, counts: tuple[int, int, int]
    ) -> None:
        found = stages.count(output)
        assert (found.passed, found.failed, found.skipped) == counts

    def test_a_runner_that_dies_without_a_word_has_failed(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        total = stages.Sum()
        stages.run(
            stages.Stage("x", "a crash", [sys.executable, "-c", "raise SystemExit(3)"]), total
        )
        assert (total.passed, total.failed) == (0, 1)
        assert "a crash" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("ci", "failed"),
        [pytest.param("", 0, id="on a desk"), pytest.param("true", 1, id="in CI")],
    )
    def test_a_missing_program_is_a_skip_on_a_desk_and_a_failure_in_ci(
        self, ci: str, failed: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CI", ci)
        total = stages.Sum()
        stages.run(stages.Stage("x", "t", ["true"], needs=["no-such-program"]), total)
        assert (total.skipped, total.failed) == (1, failed)


class TestUpToDate:
    @pytest.fixture
    def checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A checkout whose environment was made from its locked list."""
        venv = tmp_path / ".venv"
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").touch()
        (tmp_path / "runtime.txt").write_text("django==5.2.19\n")
        monkeypatch.setattr(prepare, "VENV", venv)
        monkeypatch.setattr(prepare, "PYTHON", venv / "bin" / "python")
        monkeypatch.setattr(prepare, "REQUIREMENTS", tmp_path)
        prepare.stamp("runtime").write_text(prepare.fingerprint("runtime"))
        return tmp_path

    def test_what_was_made_from_this_list_stays(self, checkout: Path) -> None:
        assert prepare.is_made("runtime")

    def test_another_list_is_installed(self, checkout: Path) -> None:
        (checkout / "runtime.txt").write_text("django==5.2.20\n")
        assert not prepare.is_made("runtime")

    def test_a_removed_environment_is_made_again(self, checkout: Path) -> None:
        prepare.PYTHON.unlink()
        assert not prepare.is_made("runtime")

    def test_a_checkout_that_has_moved_is_made_again(
        self, checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moved = checkout.rename(checkout.with_name("elsewhere"))
        for name, path in (("VENV", ".venv"), ("PYTHON", ".venv/bin/python"), ("REQUIREMENTS", "")):
            monkeypatch.setattr(prepare, name, moved / path)
        assert not prepare.is_made("runtime")


def test_without_root_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="sudo apt-get install python3-venv"):
        prepare.require([prepare.Need("python3-venv", False, "the environment")])
