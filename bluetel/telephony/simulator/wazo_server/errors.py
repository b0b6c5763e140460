"""The five shapes in which Wazo's services say no (reference/wazo.md §0, recorded)."""

from __future__ import annotations

from bluetel.telephony.simulator.http import HttpError, JsonObject, Request, Response
from bluetel.telephony.simulator.http import as_json as _json
from bluetel.telephony.simulator.wazo_server.site import Site

BAD_JSON = "The browser (or proxy) sent a request that this server could not understand."
EXPIRED = "not_found_or_expired"
FORBIDDEN = "missing_permission_or_invalid_tenant"


def reason(site: Site, status: int, text: str) -> Response:
    """Shape A: wazo-auth's token routes, dird's directories."""
    return _json(status, {"reason": [text], "timestamp": [site.epoch()], "status_code": status})


def detailed(
    site: Site,
    status: int,
    message: str,
    error_id: str,
    details: JsonObject,
    *,
    resource: str = "",
) -> Response:
    """Shape B: the REST services."""
    body: JsonObject = {
        "message": message,
        "error_id": error_id,
        "details": details,
        "timestamp": site.epoch(),
    }
    if resource:
        body["resource"] = resource
    return _json(status, body)


def listed(status: int, text: str) -> Response:
    """Shape C: confd, a list of one string."""
    return _json(status, [text])


def bare(status: int, message: object) -> Response:
    """Shape D: the framework's own, without id and time."""
    return _json(status, {"message": message})


def invalid(site: Site, details: JsonObject) -> HttpError:
    """400 ``invalid-data`` of a B service."""
    return HttpError(detailed(site, 400, "Sent data is invalid", "invalid-data", details))


def constraint(message: str, kind: str, rule: object) -> JsonObject:
    """A broken rule, as newer services describe it."""
    return {"message": message, "constraint_id": kind, "constraint": rule}


# --- Unauthorised, malformed, down: per service -------------------------------------------------


def unauthorized_detailed(site: Site, request: Request, why: str, access: str) -> Response:
    """401 in shape B; it repeats the token, as the real one does."""
    details: JsonObject = {
        "invalid_token": request.headers.get("x-auth-token", ""),
        "reason": why,
        "required_access": access,
    }
    if why == FORBIDDEN:
        details["tenant_uuid"] = request.headers.get("wazo-tenant")
    return detailed(site, 401, "Unauthorized", "unauthorized", details)


def unauthorized_listed(site: Site, request: Request, why: str, access: str) -> Response:
    """401 in shape C: a tuple's text, token included."""
    del site
    token = request.headers.get("x-auth-token", "")
    if why == FORBIDDEN:
        return listed(401, repr((token, access, request.headers.get("wazo-tenant"))))
    return listed(401, repr((token, access)))


def unauthorized_reason(site: Site, request: Request, why: str, access: str) -> Response:
    """401 of dird: shape A with a bare time, and no word about why."""
    del request, why, access
    return _json(401, {"reason": ["Unauthorized"], "timestamp": site.epoch(), "status_code": 401})


def malformed_bare() -> Response:
    """400 for a body that is no JSON."""
    return bare(400, BAD_JSON)


def malformed_listed() -> Response:
    """The same from confd."""
    return listed(400, BAD_JSON)


def auth_down_detailed(site: Site) -> Response:
    """503 of a B service that can't reach wazo-auth."""
    return detailed(
        site,
        503,
        "Authentication server unreachable",
        "authentication-server-unreachable",
        {
            "auth_server_host": "127.0.0.1",
            "auth_server_port": 9497,
            "original_error": "Connection refused",
        },
    )


def ari_down(site: Site) -> Response:
    """503 of calld without its Asterisk."""
    return detailed(
        site,
        503,
        "Asterisk ARI server unreachable",
        "asterisk-ari-unreachable",
        {
            "asterisk_ari_config": {"base_url": "http://127.0.0.1:5039"},
            "original_error": "Connection refused",
        },
    )


def not_initialized(site: Site) -> Response:
    """503 of chatd until it has read everything."""
    return detailed(site, 503, "Presences are not initialized", "not-initialized", {})


def down_listed(site: Site) -> Response:
    """503 of confd."""
    del site
    return listed(503, "('127.0.0.1', 9497, ConnectionError('Connection refused'))")


def down_reason(site: Site) -> Response:
    """503 of auth and dird."""
    return _json(
        503,
        {
            "reason": ["Authentication server unreachable"],
            "timestamp": site.epoch(),
            "status_code": 503,
        },
    )
