"""wazo-auth: tokens and accounts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from uuid import NAMESPACE_OID, uuid5

from bluetel.telephony.simulator.http import (
    HttpError,
    JsonObject,
    Request,
    Response,
    Route,
    Service,
    as_json,
    no_content,
)
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.search import folded, matches
from bluetel.telephony.simulator.wazo_server import errors
from bluetel.telephony.simulator.wazo_server.site import PBX_UUID, TENANT, TENANT_NAME, Site
from bluetel.telephony.simulator.wazo_server.tokens import Account, Token, TooManySessions

DEFAULT_LIFETIME = 7200
LONGEST_LIFETIME = 315_360_000
ORDERS: dict[str, Callable[[Person], str]] = {
    "username": lambda person: person.login,
    "firstname": lambda person: person.first_name,
    "lastname": lambda person: person.last_name,
}


def _credentials(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    login, _, password = text.partition(":")
    return login, password


def _authenticate(site: Site, request: Request) -> Account:
    given = _credentials(request)
    account = site.tokens.account(*given) if given else None
    if account is None or site.faults.refuse_logins:
        raise HttpError(errors.reason(site, 401, "Authentication Failed"))
    return account


def create_token(site: Site, request: Request) -> Response:
    """``POST /token``: sign in with Basic; ``{"expiration": seconds}`` is optional."""
    body = request.json()
    lifetime = body.get("expiration", DEFAULT_LIFETIME)
    if not isinstance(lifetime, int) or not 1 <= lifetime <= LONGEST_LIFETIME:
        text = f"Must be greater than or equal to 1 and less than or equal to {LONGEST_LIFETIME}."
        broken = {
            "expiration": [
                {
                    "constraint_id": "range",
                    "constraint": {"min": 1, "max": LONGEST_LIFETIME},
                    "message": text,
                }
            ]
        }
        return errors.reason(site, 400, str(broken))
    account = _authenticate(site, request)
    try:
        token = site.tokens.create(
            account,
            lifetime=lifetime,
            remote=request.client,
            agent=request.headers.get("user-agent", ""),
        )
    except TooManySessions:
        text = f"User {account.uuid} has exceeded the maximum number of active sessions"
        return errors.reason(site, 429, text)
    return as_json(200, _token_data(site, token), headers=[("wazo-sessions-revoked", "0")])


def _token_data(site: Site, token: Token) -> dict[str, object]:
    account = token.account
    person_id = account.person.id if account.person else None
    metadata: dict[str, object] = {
        "uuid": account.uuid,
        "tenant_uuid": TENANT,
        "auth_id": account.uuid,
        "pbx_user_uuid": person_id,
        "xivo_uuid": PBX_UUID,
        "purpose": account.purpose,
    }
    if account.person:
        metadata["admin"] = False
    return {
        "data": {
            "token": token.id,
            "auth_id": account.uuid,
            "xivo_user_uuid": person_id,
            "xivo_uuid": PBX_UUID,
            "issued_at": site.local(token.issued_at),
            "expires_at": site.local(token.expires_at),
            "utc_issued_at": token.issued_at.replace(tzinfo=None).isoformat(),
            "utc_expires_at": token.expires_at.replace(tzinfo=None).isoformat(),
            "acl": list(account.rights),
            "metadata": metadata,
            "session_uuid": token.session,
            "remote_addr": token.remote,
            "user_agent": token.agent,
        }
    }


def _named_token(site: Site, request: Request) -> Token:
    token = site.tokens.find(request.params["token"])
    if token is None:
        raise HttpError(errors.reason(site, 404, "No such token"))
    scope, tenant = request.query.get("scope"), request.query.get("tenant")
    if tenant and tenant != TENANT:
        raise HttpError(errors.reason(site, 403, f"Unauthorized for tenant {tenant}"))
    if scope and not token.may(scope):
        raise HttpError(errors.reason(site, 403, f"Unauthorized for {scope}"))
    return token


def get_token(site: Site, request: Request) -> Response:
    """``GET /token/{id}``: what it is; the id is the secret, no other token is asked for."""
    return as_json(200, _token_data(site, _named_token(site, request)))


def head_token(site: Site, request: Request) -> Response:
    """``HEAD /token/{id}``: 204 while it lives."""
    _named_token(site, request)
    return no_content()


def delete_token(site: Site, request: Request) -> Response:
    """``DELETE /token/{id}``: revoke; 200 also for one that isn't there."""
    token = site.tokens.find(request.params["token"])
    if token:
        site.tokens.end(token)
    return as_json(200, {"data": {"message": "success"}})


def check_scopes(site: Site, request: Request) -> Response:
    """``POST /token/{id}/scopes/check``: which of these rights the token has."""
    token = _named_token(site, request)
    scopes = request.json().get("scopes")
    if not isinstance(scopes, list):
        return errors.reason(site, 400, "{'scopes': ['Missing data for required field.']}")
    return as_json(200, {"scopes": {str(scope): token.may(str(scope)) for scope in scopes}})


def list_users(site: Site, request: Request) -> Response:
    """``GET /users``: the accounts with their logins, the service's own among them, paged."""
    query = request.query
    order = query.get("order", "username")
    if order not in ORDERS:
        text = f"Must be one of: {', '.join(ORDERS)}."
        rule = {"constraint_id": "enum", "constraint": {"choices": list(ORDERS)}, "message": text}
        return as_json(
            400,
            {
                "message": {"order": [rule]},
                "error_id": "invalid-list-param",
                "details": {},
                "timestamp": site.epoch(),
                "resource": "users",
            },
        )
    people = sorted(
        site.pbx.everybody(), key=ORDERS[order], reverse=query.get("direction") == "desc"
    )
    wanted = folded(query.get("search", ""))
    accounts: list[Person | Account]
    if wanted:
        accounts = [one for one in people if matches(one, wanted)]
    else:
        accounts = [*people, site.tokens.service]
    page = accounts[int(query.get("offset", 0)) :]
    if "limit" in query:
        page = page[: int(query["limit"])]
    items = [
        _person_account(one) if isinstance(one, Person) else _service_account(one) for one in page
    ]
    return as_json(200, {"filtered": len(accounts), "total": len(people) + 1, "items": items})


def _person_account(person: Person) -> JsonObject:
    address = {
        "uuid": str(uuid5(NAMESPACE_OID, person.email)),
        "address": person.email,
        "main": True,
        "confirmed": True,
    }
    return {
        "username": person.login or None,
        "uuid": person.id,
        "enabled": person.enabled,
        "emails": [address] if person.email else [],
        "firstname": person.first_name,
        "lastname": person.last_name,
        "purpose": "user",
        "tenant_uuid": TENANT,
        "authentication_method": "default",
    }


def _service_account(account: Account) -> JsonObject:
    return {
        "username": account.login,
        "uuid": account.uuid,
        "enabled": True,
        "emails": [],
        "firstname": None,
        "lastname": None,
        "purpose": account.purpose,
        "tenant_uuid": TENANT,
        "authentication_method": "native",
    }


def list_tenants(site: Site, request: Request) -> Response:
    """``GET /tenants``: the one there is."""
    del site, request
    tenant = {
        "uuid": TENANT,
        "parent_uuid": PBX_UUID,
        "name": TENANT_NAME,
        "slug": "demo",
        "contact": None,
        "phone": None,
        "default_authentication_method": "native",
        "domain_names": ["demo.test"],
        "address": {
            "line_1": None,
            "line_2": None,
            "city": None,
            "state": None,
            "country": None,
            "zip_code": None,
        },
    }
    return as_json(200, {"filtered": 1, "total": 1, "items": [tenant]})


def status(site: Site, request: Request) -> Response:
    """``HEAD /status``: 200 without a body."""
    del site, request
    return Response(status=200)


SERVICE = Service(
    name="auth",
    prefix="/api/auth/0.1",
    routes=(
        Route(method="POST", path="/token", access=None, handler=create_token),
        Route(method="GET", path="/token/{token:uuid}", access=None, handler=get_token),
        Route(method="HEAD", path="/token/{token:uuid}", access=None, handler=head_token),
        Route(method="DELETE", path="/token/{token:uuid}", access=None, handler=delete_token),
        Route(
            method="POST",
            path="/token/{token:uuid}/scopes/check",
            access=None,
            handler=check_scopes,
        ),
        Route(method="GET", path="/users", access="auth.users.read", handler=list_users),
        Route(method="GET", path="/tenants", access="auth.tenants.read", handler=list_tenants),
        Route(method="HEAD", path="/status", access=None, handler=status),
    ),
    unauthorized=errors.unauthorized_detailed,
    malformed=errors.malformed_bare,
    unavailable=errors.down_reason,
)
