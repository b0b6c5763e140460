"""``rewrite_voicemail``: a pipe that adds the call-back bar to the PBX's own mails.

This is the inner half. ``manage.py`` runs it in a process of its own, with 5 seconds to live, and
passes the mail on unchanged when anything at all goes wrong here (``bluetel/mail_pipe.py``).
"""

from __future__ import annotations

import sys
from argparse import SUPPRESS
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Standard input to standard output, byte for byte but for the bar."""

    help = "Add a signed call-back link to a mail of the PBX: a pipe (docs/voicemail.md)."
    requires_system_checks: list[str] = []  # noqa: RUF012 — Django's own shape
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose mail it is, if ``To`` doesn't tell."""
        parser.add_argument("--recipient", default="", help="the envelope's recipient")
        parser.add_argument("--inside", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Rewrite one mail."""
        from django.utils import timezone

        from voicemail.pipe import rewritten

        mail = sys.stdin.buffer.read()
        sys.stdout.buffer.write(rewritten(mail, recipient=options["recipient"], now=timezone.now()))
        sys.stdout.buffer.flush()
