"""Of what a sender did, and no code of ours, one line of the log is enough."""

from __future__ import annotations

import logging


class PlainWarning(logging.Filter):
    """Makes a warning without a trace of what is logged as an error with one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass, so changed."""
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        record.exc_info = record.exc_text = None
        return True
