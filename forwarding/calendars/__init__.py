"""Calendars that users gave: asked at their addresses, read, kept as occurrences."""
