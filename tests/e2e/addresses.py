"""The pages there are: by the table of addresses, and by what those pages link to.

A new page is found by itself: one without a parameter in its address by the table, one with (a
contact's, a message's) by the first link that leads to such a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests
from django.urls import URLPattern, URLResolver, get_resolver

NOT_OURS = ("/admin/", "/api/", "/static/", "/media/")
DEMO = "/demo/phones/"  # only in the demo's own table of addresses
MISSING = "/there-is-no-such-page/"


def html_pages(session: requests.Session, url: str) -> list[str]:
    """One address of each page, as ``session`` may see it."""
    waiting = [*plain_addresses(), DEMO, MISSING]
    found: dict[str, str] = {}
    while waiting:
        address = waiting.pop(0)
        route = route_of(address)
        if route in found or address.startswith(NOT_OURS):
            continue
        answer = session.get(url + address, timeout=20, allow_redirects=False)
        if answer.headers.get("Content-Type", "").startswith("text/html") and (
            answer.ok or answer.status_code == requests.codes.not_found
        ):
            is_whole = answer.text.lstrip()[:9].lower() == "<!doctype"  # and no part of a page
            if answer.status_code in {301, 302} or not is_whole:
                continue
            found[route] = address
            waiting += links_in(answer.text, address)
    return sorted(found.values())


def plain_addresses() -> list[str]:
    """All addresses without a parameter."""
    return [f"/{route}" for route in _routes(get_resolver().url_patterns) if "<" not in route]


def route_of(address: str) -> str:
    """What addresses of one page have in common: numbers stand for any."""
    return re.sub(r"(?<=/)(?:[a-z]+-)?[0-9][0-9a-f-]*(?=/)", "*", address)


def links_in(html: str, address: str) -> list[str]:
    """The pages of this site that a page links to, without what follows a question mark."""
    links = _Links()
    links.feed(html)
    places = [urlsplit(urljoin(f"http://here{address}", link)) for link in links.found]
    return [place.path for place in places if place.netloc == "here"]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "a" and href and "download" not in dict(attrs):
            self.found.append(href)


def _routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route
