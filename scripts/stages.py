"""Run the tests in stages and sum them up: ``scripts/stages.py [STAGE …]``.

``first``: everything but the browser, on SQLite with the in-memory channel layer.
``scripts``: the JavaScript modules under node.
``browser``: the browser tests, on SQLite over the simulated Wazo.
``xivo``: the browser tests again over the simulated XiVO, but for what only a Wazo can do.
``second``: what uses the database or the channel layer, again on PostgreSQL and Redis.
``smoke``: a few browser tests on PostgreSQL and Redis.

A stage whose program or server is missing is skipped with a loud line, and fails with ``CI`` set.
The exit code is 1 if anything failed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q"]
# By file, so that a file's servers start once, and in order: the long ones of tests/live in time.
TWO_AT_ONCE = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
ONCE_IS_ENOUGH = ["-m", "not real_time and not once"]
WITH_SERVERS = ["--timeout", "90"]  # the machine may be busy, and a server slow to come
ON_THE_STACK = [sys.executable, "-m", "tests.servers", "postgresql", "redis", "--"]
OVER_XIVO = ["env", "PBX=xivo"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NODE = ["node", "--import", "./tests/js/node-globals.js", "--test", "--test-reporter=spec"]
STACK_FOLDERS = ("apps", "live")
COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed)\b")
NODE_COUNTS = re.compile(r"^\S+ (pass|fail|skipped) (\d+)$", re.MULTILINE)
NO_TESTS = 5  # pytest's exit code when nothing was selected


@dataclass
class Stage:
    """One run of a test runner; ``needs`` are programs of which one must be there."""

    name: str
    title: str
    command: Sequence[str]
    needs: Sequence[str] = ()


@dataclass
class Sum:
    """What all stages together came to."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    lines: list[str] = field(default_factory=list)


def stages() -> list[Stage]:
    """The stages in the order in which they run."""
    on_stack = [f"tests/{folder}" for folder in STACK_FOLDERS if (ROOT / "tests" / folder).is_dir()]
    scripts = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/js/*.test.js"))
    browser = [*PYTEST, "tests/e2e", "-m", "e2e", "--timeout", "120"]
    # The pages' accessibility is walked once: they are the same pages.
    walked = "--ignore=tests/e2e/test_accessibility.py"
    over_xivo = [*PYTEST, "tests/e2e", walked, "-m", "e2e and not wazo", "--timeout", "120"]
    return [
        Stage(
            "first",
            "unit, contract and database tests on SQLite",
            [*PYTEST, "tests", "--ignore=tests/e2e", *TWO_AT_ONCE, *WITH_SERVERS],
        ),
        Stage("scripts", "JavaScript modules", [*NODE, *scripts], ["node"]),
        Stage("browser", "browser tests on SQLite", browser, BROWSERS),
        Stage("xivo", "browser tests over a XiVO", [*OVER_XIVO, *over_xivo], BROWSERS),
        Stage(
            "second",
            "database tests on PostgreSQL and Redis",
            [*ON_THE_STACK, *PYTEST, *on_stack, *ONCE_IS_ENOUGH, *TWO_AT_ONCE, *WITH_SERVERS],
        ),
        Stage(
            "smoke",
            "browser smoke on PostgreSQL and Redis",
            [*ON_THE_STACK, *PYTEST, "tests/e2e", "-m", "smoke", "--timeout", "120"],
            BROWSERS,
        ),
    ]


def main(names: list[str]) -> int:
    """Run the named stages, or all; the exit code is returned."""
    known = {stage.name: stage for stage in stages()}
    if unknown := [name for name in names if name not in known]:
        print(f"no stage {' '.join(unknown)}; there are: {' '.join(known)}", file=sys.stderr)
        return 2
    total = Sum()
    for name in names or known:
        run(known[name], total)
    print("\n" + "\n".join(total.lines))
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


def run(stage: Stage, total: Sum) -> None:
    """Run one stage, show its output as it comes, and add it up."""
    print(f"\n=== {stage.name}: {stage.title}", flush=True)
    if stage.needs and not any(map(shutil.which, stage.needs)):
        note_missing(stage, total, stage.needs[0])
        return
    started = time.monotonic()
    output, code = show(stage.command)
    seconds = time.monotonic() - started
    counts = count(output)
    nothing_ran = code in {0, NO_TESTS} and not counts.passed
    total.passed += counts.passed
    total.skipped += counts.skipped + (1 if nothing_ran else 0)
    # A runner that died without counting a failure has failed all the same.
    total.failed += counts.failed or (1 if code not in {0, NO_TESTS} else 0)
    verdict = "nothing ran" if nothing_ran else "passed" if code == 0 else "FAILED"
    if nothing_ran and is_ci():
        total.failed += 1
        verdict = "FAILED: nothing ran"
    total.lines.append(f"{stage.name:8} {seconds:4.0f} s  {verdict}")


def note_missing(stage: Stage, total: Sum, program: str) -> None:
    """Count a stage that can't run on this machine."""
    print(f"!!! SKIPPED: {program} is not installed", flush=True)
    total.skipped += 1
    total.failed += 1 if is_ci() else 0
    total.lines.append(f"{stage.name:8}    0 s  {program} is missing")


def show(command: Sequence[str]) -> tuple[str, int]:
    """Run a command with its output on the screen; output and exit code are returned."""
    colour = {"PY_COLORS": "1", "FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **colour},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 — PIPE was asked for
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return "".join(lines), process.returncode


def count(output: str) -> Sum:
    """The counts of a runner's closing lines."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    found = Sum()
    node = {kind: int(number) for kind, number in NODE_COUNTS.findall(plain)}
    if node:
        return Sum(node.get("pass", 0), node.get("fail", 0), node.get("skipped", 0))
    closing = [line for line in plain.splitlines() if re.search(r" in \d+\.\d+s", line)]
    for number, kind in COUNTS.findall(closing[-1]) if closing else []:
        if kind == "passed":
            found.passed += int(number)
        elif kind in {"failed", "error", "errors"}:
            found.failed += int(number)
        else:
            found.skipped += int(number)
    return found


def is_ci() -> bool:
    """Whether what is missing must fail."""
    return bool(os.environ.get("CI"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
