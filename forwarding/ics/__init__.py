"""Reading iCalendar (RFC 5545): which times somebody is taken. Plain Python, for processes.

A text is first reduced to what tells when its owner is busy, line by line and without a parser:
titles, places and people leave here. The rest is small, is what is stored, and is expanded into
instances by ``icalendar`` and ``recurring_ical_events``.
"""
