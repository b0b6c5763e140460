"""Static files under hashed names, collected again only when a source has changed."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

MANIFEST = "staticfiles.json"


def collect_if_changed() -> None:
    """Bring ``STATIC_ROOT`` up to date."""
    manifest = Path(settings.STATIC_ROOT) / MANIFEST
    if not manifest.exists() or _newest_source() > manifest.stat().st_mtime:
        call_command("collectstatic", verbosity=0, interactive=False)
        manifest.touch()


def _newest_source() -> float:
    """When the youngest source was changed, or its folder: that is when one was removed."""
    newest = 0.0
    for finder in get_finders():
        for path, storage in finder.list([]):
            source = Path(storage.path(path))
            newest = max(newest, source.stat().st_mtime, source.parent.stat().st_mtime)
    return newest
