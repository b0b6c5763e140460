"""The PBXs' documents as they were gathered, where a machine has them beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_ABOVE = Path(__file__).resolve().parents[3:5]
"""The folder of the checkout, and the one above: a worktree lies one deeper."""


def shared_contract(name: str) -> Any:
    """One document, read; skips the test where there is no such folder: it is not ours to copy."""
    for folder in _ABOVE:
        path = folder / "shared" / "contracts" / name
        if path.is_file():
            return json.loads(path.read_text())
    pytest.skip(f"no {name} beside the checkout")
