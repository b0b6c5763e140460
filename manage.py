#!/usr/bin/env python
"""BlueTel's command line: ``serve``, ``run_engine``, ``connect_pbx`` and Django's own."""

import os
import sys


def main() -> None:
    """Run one management command."""
    if sys.argv[1:2] == ["rewrite_voicemail"] and "--inside" not in sys.argv:
        from bluetel import mail_pipe

        sys.exit(mail_pipe.main(sys.argv))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluetel.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
