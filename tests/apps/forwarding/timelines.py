"""What happens to a calendar in a day, and what must follow: the fixtures of ``test_timelines``.

Times without a date are of the 24th of November 2026, in UTC. ``V`` is the way to the voicemail
box, ``M`` the mobile of the rule for the chat status. ``log`` is everything BlueTel writes to the
PBX, in order; ``im`` are the changes of the chat status, ``free`` being offline: no page is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

DATE = "20261124"
Rules = dict[str, dict[str, Any]]
NO_ROUTE = {"route": "nothing"}
BOTH: Rules = {"calendar": {"set_im_busy": True, "route": "voicemail"}, "im": NO_ROUTE}
IM_RULE: Rules = {
    "calendar": {"set_im_busy": True, "route": "nothing"},
    "im": {"route": "number", "number": "0639984172"},
}
BOTH_RULES: Rules = {
    "calendar": {"set_im_busy": True, "route": "voicemail"},
    "im": {"route": "number", "number": "0639984172"},
}
STATUS_ONLY: Rules = {"calendar": {"set_im_busy": True, "route": "nothing"}, "im": NO_ROUTE}
CALLS_ONLY: Rules = {"calendar": {"set_im_busy": False, "route": "voicemail"}, "im": NO_ROUTE}
NOTHING: Rules = {"calendar": {"set_im_busy": False, "route": "nothing"}, "im": NO_ROUTE}
WITH_OTHERS: Rules = {"calendar": {**BOTH["calendar"], "only_with_others": True}}
ALL_DAY: Rules = {"calendar": {**BOTH["calendar"], "all_day": "busy"}}
TO_THE_LAST_WORD: Rules = {
    "calendar": {"set_im_busy": True, "route": "voicemail", "until_hang_up": True},
    "im": NO_ROUTE,
}
TO_A_COLLEAGUE: Rules = {
    "calendar": {"set_im_busy": True, "route": "number", "number": "1002"},
    "im": NO_ROUTE,
}


@dataclass(frozen=True)
class Timeline:
    """``acts`` are ``(time, what, *with)``: methods of ``Player`` in ``test_timelines``."""

    name: str
    events: Sequence[str]
    log: Sequence[str]
    im: Sequence[str]
    acts: Sequence[tuple[Any, ...]] = ()
    rules: Rules = field(default_factory=lambda: BOTH)
    start: str = "09:00"


def moment(clock: str) -> str:
    """``10:30`` as iCalendar writes it; what is written so already stays."""
    if "T" in clock or len(clock) == 8:
        return clock
    return f"{DATE}T{clock.replace(':', '')}00Z"


def event(uid: str, starts: str, ends: str, *lines: str, zone: str = "") -> str:
    """One event; further lines as in the file."""
    kind = ";VALUE=DATE" if len(starts) == 8 else (f";TZID={zone}" if zone else "")
    return "\r\n".join(
        [
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20261101T000000Z",
            f"DTSTART{kind}:{moment(starts)}",
            f"DTEND{kind}:{moment(ends)}",
            "SUMMARY:hush",
            *lines,
            "END:VEVENT",
        ]
    )


def calendar(events: Sequence[str]) -> bytes:
    """The file."""
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//", *events, "END:VCALENDAR", ""]
    ).encode()


A = event("a", "10:00", "11:00")
B = event("b", "10:30", "12:00")
C = event("c", "14:00", "15:00")
A_LOG = ["10:00 on V", "11:00 off"]
A_IM = ["10:00 busy", "11:00 free"]
TO_NOON = ["10:00 on V", "12:00 off"]
TO_NOON_IM = ["10:00 busy", "12:00 free"]
MINE = "mailto:camille.renard@example.test"
PARIS = "Europe/Paris"


HOURS = """\
BEGIN:VAVAILABILITY
UID:hours
DTSTAMP:20261101T000000Z
DTSTART;TZID=Europe/Paris:20261101T000000
BUSYTYPE:BUSY-UNAVAILABLE
BEGIN:AVAILABLE
UID:mornings
DTSTAMP:20261101T000000Z
DTSTART;TZID=Europe/Paris:20261102T120000
DTEND;TZID=Europe/Paris:20261102T180000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR
END:AVAILABLE
END:VAVAILABILITY"""
"""Working hours as RFC 7953 writes them; the day of the tests begins outside them."""


def free_busy(kind: str, starts: str, ends: str) -> str:
    """A published list with one period."""
    period = f"{moment(starts)}/{moment(ends)}"
    return f"BEGIN:VFREEBUSY\r\nFREEBUSY;FBTYPE={kind}:{period}\r\nEND:VFREEBUSY"


def invited(answer: str) -> tuple[str, str]:
    """The lines of an invitation the user has answered so."""
    return "ORGANIZER:mailto:boss@example.test", f"ATTENDEE;PARTSTAT={answer}:mailto:{{me}}"


def shape(
    name: str, *events: str, log: Sequence[str] = A_LOG, im: Sequence[str] = A_IM
) -> Timeline:
    """A calendar that stays as it is."""
    return Timeline(name, events, log, im)


def silent(name: str, *events: str) -> Timeline:
    """A calendar that does nothing."""
    return Timeline(name, events, [], [])


SHAPES = [
    silent("no events"),
    shape("one meeting", A),
    shape("two overlap", A, B, log=TO_NOON, im=TO_NOON_IM),
    shape("one contains another", event("x", "10:00", "12:00"), event("y", "10:30", "11:00"),
          log=TO_NOON, im=TO_NOON_IM),
    shape("two touch", A, event("x", "11:00", "12:00"), log=TO_NOON, im=TO_NOON_IM),
    shape("half a minute apart", A, event("x", f"{DATE}T110030Z", "12:00"),
          log=TO_NOON, im=TO_NOON_IM),
    shape("two minutes apart", A, event("x", "11:02", "12:00"),
          log=["10:00 on V", "11:00 off", "11:02 on V", "12:00 off"],
          im=["10:00 busy", "11:00 free", "11:02 busy", "12:00 free"]),
    shape("two in a day", A, C, log=[*A_LOG, "14:00 on V", "15:00 off"],
          im=[*A_IM, "14:00 busy", "15:00 free"]),
    shape("three at once", A, event("x", "10:00", "11:00"), event("y", "10:00", "11:00")),
    shape("the same start, other ends", A, event("x", "10:00", "12:00"),
          log=TO_NOON, im=TO_NOON_IM),
    shape("a chain of three", A, event("x", "10:45", "11:30"), event("y", "11:30", "12:00"),
          log=TO_NOON, im=TO_NOON_IM),
    silent("no length", event("x", "10:00", "10:00")),
    shape("no length inside another", A, event("x", "10:30", "10:30")),
    shape("a few minutes long", event("x", "10:00", "10:04"),
          log=["10:00 on V", "10:04 off"], im=["10:00 busy", "10:04 free"]),
    shape("late in the evening", event("x", "20:00", "21:00"),
          log=["20:00 on V", "21:00 off"], im=["20:00 busy", "21:00 free"]),
    shape("a duplicate in the file", A, A),
    silent("over before the day began", event("x", "07:00", "08:00")),
    shape("begun before anybody looked", event("x", "08:00", "10:00"),
          log=["09:00 on V", "10:00 off"], im=["10:00 free"]),
    shape("longer than a day", event("x", "20261123T100000Z", "20261124T180000Z"),
          log=["09:00 on V", "18:00 off"], im=["18:00 free"]),
    silent("transparent", event("x", "10:00", "11:00", "TRANSP:TRANSPARENT")),
    shape("opaque in so many words", event("x", "10:00", "11:00", "TRANSP:OPAQUE")),
    silent("cancelled", event("x", "10:00", "11:00", "STATUS:CANCELLED")),
    silent("tentative", event("x", "10:00", "11:00", "STATUS:TENTATIVE")),
    shape("confirmed", event("x", "10:00", "11:00", "STATUS:CONFIRMED")),
    silent("declined", event("x", "10:00", "11:00", *invited("DECLINED"))),
    silent("not answered", event("x", "10:00", "11:00", *invited("NEEDS-ACTION"))),
    silent("answered with perhaps", event("x", "10:00", "11:00", *invited("TENTATIVE"))),
    shape("accepted", event("x", "10:00", "11:00", *invited("ACCEPTED"))),
    shape("somebody else declined",
          event("x", "10:00", "11:00", "ORGANIZER:mailto:{me}",
                "ATTENDEE;PARTSTAT=DECLINED:mailto:other@example.test")),
    silent("free by Outlook", event("x", "10:00", "11:00", "X-MICROSOFT-CDO-BUSYSTATUS:FREE")),
    silent("elsewhere by Outlook",
           event("x", "10:00", "11:00", "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE")),
    shape("out of office by Outlook",
          event("x", "10:00", "11:00", "X-MICROSOFT-CDO-BUSYSTATUS:OOF")),
    shape("private", event("x", "10:00", "11:00", "CLASS:PRIVATE")),
    silent("all day", event("x", "20261124", "20261125")),
    shape("a free day long event hides no meeting", A,
          event("x", "20261124", "20261125", "TRANSP:TRANSPARENT")),
    shape("a declined meeting hides no other", A,
          event("x", "10:30", "12:00", *invited("DECLINED")), event("y", "11:15", "11:45"),
          log=["10:00 on V", "11:00 off", "11:15 on V", "11:45 off"],
          im=["10:00 busy", "11:00 free", "11:15 busy", "11:45 free"]),
    silent("a zone nobody knows",
           event("x", "20261124T100000", "20261124T110000", zone="Moon/Sea")),
    shape("the Windows name of a zone",
          event("x", "20261124T110000", "20261124T120000", zone="Romance Standard Time")),
    shape("a zone", event("x", "20261124T110000", "20261124T120000", zone=PARIS)),
    shape("an organiser overseas",
          event("x", "20261124T050000", "20261124T060000", zone="America/New_York")),
    shape("no zone: the user's", event("x", "20261124T110000", "20261124T120000")),
    shape("a weekly series",
          event("x", "20261103T110000", "20261103T120000", "RRULE:FREQ=WEEKLY", zone=PARIS)),
    silent("a weekly series without today",
           event("x", "20261103T110000", "20261103T120000", "RRULE:FREQ=WEEKLY",
                 f"EXDATE;TZID={PARIS}:20261124T110000", zone=PARIS)),
    shape("an instance of a series moved",
          event("x", "20261103T090000", "20261103T100000", "RRULE:FREQ=WEEKLY", zone=PARIS),
          event("x", "20261124T110000", "20261124T120000",
                f"RECURRENCE-ID;TZID={PARIS}:20261124T090000", zone=PARIS)),
    shape("a series that began in summer",
          event("x", "20260602T110000", "20260602T120000", "RRULE:FREQ=WEEKLY", zone=PARIS)),
    shape("two calendars' names for one moment", A,
          event("y", "20261124T110000", "20261124T120000", zone=PARIS)),
    silent("working hours", HOURS),
    shape("working hours beside a meeting", HOURS, A),
    shape("a meeting outside working hours", HOURS, event("x", "20:00", "21:00"),
          log=["20:00 on V", "21:00 off"], im=["20:00 busy", "21:00 free"]),
    shape("a published list of busy times", free_busy("BUSY", "10:00", "11:00")),
    silent("a published list's hours outside work",
           free_busy("BUSY-UNAVAILABLE", "10:00", "11:00")),
    silent("a published list's perhaps", free_busy("BUSY-TENTATIVE", "10:00", "11:00")),
    silent("where somebody works",
           event("x", "10:00", "11:00", "TRANSP:TRANSPARENT", "CATEGORIES:Working location")),
    silent("a task", "BEGIN:VTODO\r\nUID:t\r\nDTSTART:20261124T100000Z\r\n"
           "DUE:20261124T110000Z\r\nEND:VTODO"),
]  # fmt: skip

CHOICES = [
    Timeline("nothing chosen", [A], [], [], rules=NOTHING),
    Timeline("only the status", [A], [], A_IM, rules=STATUS_ONLY),
    Timeline("only calls", [A], A_LOG, [], rules=CALLS_ONLY),
    Timeline("calls by the status", [A], ["10:00 on M", "11:00 off"], A_IM, rules=IM_RULE),
    Timeline("calls by the status, but only where it is set by hand", [A],
             ["09:30 on M", "09:50 off"],
             ["09:30 busy", "09:50 free", "10:00 busy", "11:00 free"],
             [("09:30", "status", "busy"), ("09:50", "status", None)],
             rules={**IM_RULE, "im": {**IM_RULE["im"], "only_by_hand": True}}),
    Timeline("a call goes on when the meeting ends", [A], A_LOG, A_IM,
             [("10:50", "phone", "busy")]),
    Timeline("a call goes on when the meeting ends, and the status shall wait", [A], A_LOG,
             ["10:00 busy", "11:02 free"],
             [("10:50", "phone", "busy"), ("11:02", "phone", "available")], rules=TO_THE_LAST_WORD),
    Timeline("no call goes on when the meeting ends", [A], A_LOG, A_IM,
             [("10:50", "phone", "busy"), ("10:55", "phone", "available"),
              ("11:01", "phone", "busy")], rules=TO_THE_LAST_WORD),
    Timeline("the next meeting begins in the call", [A, event("x", "11:02", "11:04")],
             [*A_LOG, "11:02 on V", "11:04 off"], ["10:00 busy", "11:05 free"],
             [("10:50", "phone", "busy"), ("11:05", "phone", "available")],
             rules=TO_THE_LAST_WORD),
    Timeline("not for this meeting, in a call", [A], ["10:00 on V", "10:58 off"],
             ["10:00 busy", "10:58 free"],
             [("10:50", "phone", "busy"), ("10:58", "suppress", "meeting")],
             rules=TO_THE_LAST_WORD),
    Timeline("do not disturb is no call", [A], ["10:00 on V", "10:20 off"], A_IM,
             [("10:20", "dnd", True), ("10:20", "phone", "busy")], rules=TO_THE_LAST_WORD),
    Timeline("calendar before status", [A], A_LOG, A_IM, rules=BOTH_RULES),
    Timeline("only calls, and the status's rule", [A], A_LOG, [],
             rules={**BOTH_RULES, "calendar": CALLS_ONLY["calendar"]}),
    Timeline("nothing chosen, but the status's rule", [A], [], [],
             rules={**BOTH_RULES, "calendar": NOTHING["calendar"]}),
    Timeline("a birthday never counts", [event("x", "20261124", "20261125", "CATEGORIES:Birthday")],
             [], [], rules=ALL_DAY),
    Timeline("a day of working elsewhere never counts",
             [event("x", "20261124", "20261125", "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE")],
             [], [], rules=ALL_DAY),
    Timeline("working hours make nobody busy where all-day events count", [HOURS], [], [],
             rules=ALL_DAY),
    Timeline("a tentative meeting counts where chosen",
             [event("x", "10:00", "11:00", "STATUS:TENTATIVE")], A_LOG, A_IM,
             rules={"calendar": {**BOTH["calendar"], "tentative": "busy"}}),
    Timeline("one's own note counts for nothing where only meetings with others count", [A], [], [],
             rules=WITH_OTHERS),
    Timeline("a meeting with somebody counts where only those count",
             [event("x", "10:00", "11:00", "ATTENDEE:mailto:somebody@example.org")], A_LOG, A_IM,
             rules=WITH_OTHERS),
    Timeline("an all-day event counts where chosen, in the user's zone",
             [event("x", "20261124", "20261125")], ["09:00 on V", "23:00 off"], ["23:00 free"],
             rules=ALL_DAY),
    Timeline("an all-day event that is not out of office doesn't",
             [event("x", "20261124", "20261125")], [], [],
             rules={"calendar": {**BOTH["calendar"], "all_day": "out_of_office"}}),
    Timeline("an all-day out of office does",
             [event("x", "20261124", "20261125", "X-MICROSOFT-CDO-BUSYSTATUS:OOF")],
             ["09:00 on V", "23:00 off"], ["23:00 free"],
             rules={"calendar": {**BOTH["calendar"], "all_day": "out_of_office"}}),
    Timeline("switched off in the meeting", [A], ["10:00 on V", "10:30 off"],
             ["10:00 busy", "10:30 free"], [("10:30", "rules", NOTHING)]),
    Timeline("switched on in the meeting", [A], ["10:30 on V", "11:00 off"],
             ["10:30 busy", "11:00 free"], [("10:30", "rules", BOTH)], rules=NOTHING),
    Timeline("another target in the meeting", [A], ["10:00 on V", "10:30 on M", "11:00 off"], A_IM,
             [("10:30", "rules",
               {"calendar": {"set_im_busy": True, "route": "number", "number": "0639984172"}})]),
]  # fmt: skip

CHANGES = [
    Timeline("deleted while it runs", [A], ["10:00 on V", "10:20 off"],
             ["10:00 busy", "10:20 free"], [("10:20", "text")]),
    Timeline("shortened while it runs", [A], ["10:00 on V", "10:30 off"],
             ["10:00 busy", "10:30 free"], [("10:20", "text", event("a", "10:00", "10:30"))]),
    Timeline("shortened to the past", [A], ["10:00 on V", "10:20 off"],
             ["10:00 busy", "10:20 free"], [("10:20", "text", event("a", "10:00", "10:10"))]),
    Timeline("prolonged while it runs", [A], TO_NOON, TO_NOON_IM,
             [("10:50", "text", event("a", "10:00", "12:00"))]),
    Timeline("made for later today", [], A_LOG, A_IM, [("09:30", "text", A)]),
    Timeline("made for now", [], ["10:20 on V", "11:00 off"], ["10:20 busy", "11:00 free"],
             [("10:20", "text", A)]),
    Timeline("moved before it began", [A], ["14:00 on V", "15:00 off"],
             ["14:00 busy", "15:00 free"], [("09:30", "text", event("a", "14:00", "15:00"))]),
    Timeline("moved while it runs", [A], ["10:00 on V", "10:20 off", "14:00 on V", "15:00 off"],
             ["10:00 busy", "10:20 free", "14:00 busy", "15:00 free"],
             [("10:20", "text", event("a", "14:00", "15:00"))]),
    Timeline("of two that overlap one is deleted", [A, B], TO_NOON, TO_NOON_IM,
             [("10:40", "text", B)]),
    Timeline("cancelled while it runs", [A], ["10:00 on V", "10:20 off"],
             ["10:00 busy", "10:20 free"],
             [("10:20", "text", event("a", "10:00", "11:00", "STATUS:CANCELLED"))]),
    Timeline("declined while it runs", [A], ["10:00 on V", "10:20 off"],
             ["10:00 busy", "10:20 free"],
             [("10:20", "text", event("a", "10:00", "11:00", *invited("DECLINED")))]),
    Timeline("another text, the same times", [A], A_LOG, A_IM,
             [("10:20", "text", event("a", "10:00", "11:00", "LOCATION:elsewhere"))]),
]  # fmt: skip

PEOPLE = [
    Timeline("not for this meeting", [A, C], ["10:00 on V", "10:20 off", "14:00 on V", "15:00 off"],
             ["10:00 busy", "10:20 free", "14:00 busy", "15:00 free"],
             [("10:20", "suppress", "meeting")]),
    Timeline("not for this meeting, though it is read again", [A],
             ["10:00 on V", "10:20 off"], ["10:00 busy", "10:20 free"],
             [("10:20", "suppress", "meeting"), ("10:30", "text", A),
              ("10:40", "text", event("a", "10:00", "11:00", "LOCATION:elsewhere"))]),
    Timeline("available by hand in the meeting, though it is read a hundred times", [A],
             ["10:00 on V", "10:20 off"], ["10:00 busy", "10:20 available"],
             [("10:20", "status", "available"), ("10:30", "read_again", 100)]),
    Timeline("not for this meeting, though it is prolonged", [A],
             ["10:00 on V", "10:20 off"], ["10:00 busy", "10:20 free"],
             [("10:20", "suppress", "meeting"), ("10:30", "text", event("a", "10:00", "12:00"))]),
    Timeline("who joins later is not suppressed", [A],
             ["10:00 on V", "10:20 off", "10:30 on V", "12:00 off"],
             ["10:00 busy", "10:20 free", "10:30 busy", "12:00 free"],
             [("10:20", "suppress", "meeting"), ("10:25", "text", A, B)]),
    Timeline("moved after it was suppressed", [A],
             ["10:00 on V", "10:20 off", "14:00 on V", "15:00 off"],
             ["10:00 busy", "10:20 free", "14:00 busy", "15:00 free"],
             [("10:20", "suppress", "meeting"), ("10:30", "text", event("a", "14:00", "15:00"))]),
    Timeline("never for this series",
             [event("x", "10:00", "11:00", "RRULE:FREQ=HOURLY;INTERVAL=4")],
             ["10:00 on V", "10:20 off"], ["10:00 busy", "10:20 free"],
             [("10:20", "suppress", "series")]),
    Timeline("counted again", [A], ["10:00 on V", "10:20 off", "10:40 on V", "11:00 off"],
             ["10:00 busy", "10:20 free", "10:40 busy", "11:00 free"],
             [("10:20", "suppress", "meeting"), ("10:40", "unsuppress")]),
    Timeline("available by hand in the meeting", [A, C],
             ["10:00 on V", "10:20 off", "14:00 on V", "15:00 off"],
             ["10:00 busy", "10:20 available", "14:00 busy", "15:00 available"],
             [("10:20", "status", "available")]),
    Timeline("available by hand before the meeting gives way", [A], A_LOG,
             ["09:30 available", "10:00 busy", "11:00 available"],
             [("09:30", "status", "available")]),
    Timeline("automatic again in the meeting", [A],
             ["10:00 on V", "10:20 off", "10:40 on V", "11:00 off"],
             ["10:00 busy", "10:20 available", "10:40 busy", "11:00 free"],
             [("10:20", "status", "available"), ("10:40", "status", None)]),
    Timeline("busy by hand outranks the calendar", [A],
             ["09:30 on M", "10:30 on V", "11:00 off"], ["09:30 busy", "11:00 free"],
             [("09:30", "status", "busy"), ("10:30", "status", None)], rules=BOTH_RULES),
    Timeline("away by hand rests the status's rule", [A], ["10:00 on M", "10:20 off"],
             ["10:00 busy", "10:20 away"], [("10:20", "status", "away")], rules=IM_RULE),
    Timeline("offline by hand rests the status's rule", [A], ["10:00 on M", "10:20 off"],
             ["10:00 busy", "10:20 free"], [("10:20", "status", "offline")], rules=IM_RULE),
    Timeline("away by hand before the meeting keeps winning", [A], [],
             ["09:30 away", "11:30 free"], [("09:30", "status", "away"), ("11:30", "status", None)],
             rules=IM_RULE),
    Timeline("a forward dialled before the meeting comes back", [A],
             ["10:00 on V", "11:00 on 1042"], A_IM, [("09:30", "dial", "1042")]),
    Timeline("a forward dialled in the meeting stays", [A, C],
             ["10:00 on V", "14:00 on V", "15:00 on 1042"],
             [*A_IM, "14:00 busy", "15:00 free"], [("10:20", "dial", "1042")]),
    Timeline("ours switched off on the handset", [A, C],
             ["10:00 on V", "14:00 on V", "15:00 off V"],
             [*A_IM, "14:00 busy", "15:00 free"], [("10:20", "dial", None)]),
    Timeline("his own switched off in the meeting hands back", [A],
             ["10:00 on V", "10:40 on V", "11:00 off 1042"], A_IM,
             [("10:20", "dial", "1042"), ("10:40", "dial", None)]),
    Timeline("an override lasts though the meeting grows", [A], ["10:00 on V"], TO_NOON_IM,
             [("10:20", "dial", "1042"), ("10:50", "text", event("a", "10:00", "12:00"))]),
    Timeline("do not disturb in the meeting", [A],
             ["10:00 on V", "10:20 off", "10:40 on V", "11:00 off"], A_IM,
             [("10:20", "dnd", True), ("10:40", "dnd", False)]),
    Timeline("do not disturb all along", [A], [], A_IM, [("09:30", "dnd", True)]),
]  # fmt: skip

FAILURES = [
    Timeline("restarted in the meeting", [A], A_LOG, A_IM,
             [("10:20", "kill"), ("10:30", "start")]),
    Timeline("down when it begins", [A], ["10:10 on V", "11:00 off"], A_IM,
             [("09:50", "kill"), ("10:10", "start")]),
    Timeline("down when it ends", [A], ["10:00 on V", "11:10 off"], A_IM,
             [("10:50", "kill"), ("11:10", "start")]),
    Timeline("down from before to after", [A], [], A_IM,
             [("09:50", "kill"), ("11:10", "start")]),
    Timeline("deleted while nobody looked", [A], ["10:00 on V", "10:40 off"],
             ["10:00 busy", "10:40 free"],
             [("10:20", "kill"), ("10:40", "text"), ("10:40", "start")]),
    Timeline("dialled while nobody looked", [A], ["10:00 on V"], A_IM,
             [("10:20", "kill"), ("10:30", "dial", "1042"), ("10:40", "start")]),
    Timeline("killed before the write", [A], ["10:10 on V", "11:00 off"], A_IM,
             [("09:59:30", "kill_in", 1), ("10:10", "start")]),
    Timeline("killed after the write", [A], A_LOG, A_IM,
             [("09:59:30", "kill_after_write"), ("10:10", "start")]),
    Timeline("the PBX is down when it begins", [A], ["10:05 on V", "11:00 off"], A_IM,
             [("09:50", "fail"), ("10:00:29", "told", ""),
              ("10:01", "told", "has not taken this since"), ("10:05", "heal"),
              ("10:06", "told", "")]),
    Timeline("the PBX is down when it ends", [A], ["10:00 on V", "11:05 off"], A_IM,
             [("10:50", "fail"), ("11:05", "heal")]),
    Timeline("the PBX is down all through", [A], [], A_IM, [("09:50", "fail"), ("11:05", "heal")]),
    Timeline("the account is refused when it begins", [A], ["10:05 on V", "11:00 off"], A_IM,
             [("09:50", "refuse"), ("10:05", "heal")]),
    Timeline("switched off while the PBX is down", [A], ["10:00 on V", "10:40 off"],
             ["10:00 busy", "10:30 free"],
             [("10:20", "fail"), ("10:30", "rules", NOTHING), ("10:40", "heal")]),
    Timeline("the colleague sends calls back by then", [A], [], A_IM,
             [("09:30", "colleague_dials", "1002", "1001"), ("10:05", "told", "can't be used now")],
             rules=TO_A_COLLEAGUE),
    Timeline("the colleague takes it back before the next", [A, C],
             ["14:00 on 1002", "15:00 off"], [*A_IM, "14:00 busy", "15:00 free"],
             [("09:30", "colleague_dials", "1002", "1001"),
              ("13:00", "colleague_dials", "1002", None)], rules=TO_A_COLLEAGUE),
    Timeline("the dial policy forbids the number by then", [C], [], ["14:00 busy", "15:00 free"],
             [("13:00", "allow_regions", "DE"), ("14:05", "told", "can't be used now")],
             rules={"calendar": {"set_im_busy": True, "route": "number",
                                 "number": "+41446681800"}, "im": NO_ROUTE}),
    Timeline("the box vanishes", [C], [], ["14:00 busy", "15:00 free"],
             [("13:00", "lose_box"), ("14:05", "told", "no voicemail box any more")]),
    Timeline("the user leaves the PBX in the meeting", [A], ["10:00 on V"], A_IM,
             [("10:20", "leave")]),
]  # fmt: skip

NIGHTS = [
    Timeline("the autumn night, the first two o'clock",
             [event("x", "20271031T003000Z", "20271031T004500Z")],
             ["00:30 on V", "00:45 off"], [], start="2027-10-31 00:00"),
    Timeline("the autumn night, from one o'clock to four",
             [event("x", "20271031T010000", "20271031T040000", zone=PARIS)],
             ["23:00 on V", "03:00 off"], [], start="2027-10-30 22:00"),
    Timeline("the spring night, over the missing hour",
             [event("x", "20270328T013000", "20270328T033000", zone=PARIS)],
             ["00:30 on V", "01:30 off"], [], start="2027-03-28 00:00"),
    Timeline("the day after the autumn night, a series from before it",
             [event("x", "20271004T110000", "20271004T120000", "RRULE:FREQ=DAILY", zone=PARIS)],
             ["10:00 on V", "11:00 off"], [], start="2027-11-01 09:00"),
]  # fmt: skip

TIMELINES = [*SHAPES, *CHOICES, *CHANGES, *PEOPLE, *FAILURES, *NIGHTS]
