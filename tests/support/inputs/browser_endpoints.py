"""The endpoints that take a browser's handles, and those that take IDs of a user's objects.

Owns: sending any handle there. `handle_endpoints.py` has the other endpoints and reads the
responses.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from server.http.cookies import CSRF
from tests.support.browsers.browser import request_of
from tests.support.browsers.web_person import COOKIE
from tests.support.inputs.browser_handles import SIGN_IN_COOKIE
from tests.support.inputs.handles import World
from tests.support.inputs.raw_api import RawApi

Endpoint = Callable[[str], httpx.Response]


def passkey_endpoints(world: World) -> dict[str, Endpoint]:
    """Return the endpoints that a browser with a passkey calls."""
    cookie = f"{COOKIE}={world.handles['passkey cookie']}"
    token = world.handles["page token"]

    def push_subscription(handle: str) -> httpx.Response:
        path = f"/api/push-subscriptions/{handle}"
        return _send(world, "DELETE", path, cookie, headers={CSRF: token})

    return {
        "cookie of a passkey": lambda h: _send(world, "GET", "/api/me", f"{COOKIE}={h}"),
        "token of a page": lambda h: _send(
            world, "POST", "/api/feed/ticket", cookie, headers={CSRF: h}
        ),
        "push subscription of the API": push_subscription,
        "ticket of the feed": lambda h: _feed(world, h),
    }


def sign_in_endpoints(world: World) -> dict[str, Endpoint]:
    """Return the endpoints that a browser calls whose user signs in to apps."""
    handles = world.handles
    own_cookie = f"{SIGN_IN_COOKIE}={handles['sign-in cookie']}"

    def flow(cookie: str, prompt: str) -> str:
        form = request_of(world.app.id, prompt=prompt)
        begun = _send(world, "GET", "/authorize", cookie, params=form)
        return begun.headers["location"].partition("flow=")[2]

    def continue_flow(handle: str, cookie: str = own_cookie) -> httpx.Response:
        return _send(world, "GET", "/continue", cookie, params={"flow": handle})

    def signed_in(handle: str) -> httpx.Response:
        cookie = f"{SIGN_IN_COOKIE}={handle}"
        return continue_flow(flow(cookie, "none"), cookie)

    def denied(handle: str, token: str = handles["form token"]) -> httpx.Response:
        form = {"flow": handle, "csrf": token, "answer": "deny"}
        return _send(world, "POST", "/consent", own_cookie, data=form)

    return {
        "cookie of a sign-in": signed_in,
        "flow to go on with": continue_flow,
        "flow of a consent": denied,
        "token of a form": lambda h: denied(flow(own_cookie, "consent"), h),
    }


def _send(world: World, method: str, path: str, cookie: str, **rest: Any) -> httpx.Response:
    """Send the request as our pages do."""
    named = {"Origin": world.server.url, "Sec-Fetch-Site": "same-origin", "Cookie": cookie}
    headers = {**named, **rest.pop("headers", {})}
    with world.server.client() as browser:
        return browser.request(method, path, headers=headers, **rest)


def _feed(world: World, ticket: str) -> httpx.Response:
    """Return the socket's first message as a response: its type, or 401 with the close code."""
    cookie = f"{COOKIE}={world.handles['passkey cookie']}"
    address = f"ws://localhost:{world.server.port}/api/feed"
    origin = Origin(world.server.url)
    with connect(address, additional_headers={"Cookie": cookie}, origin=origin) as socket:
        try:
            socket.send(json.dumps({"type": "ticket", "ticket": ticket}))
            message = json.loads(socket.recv(30))
        except ConnectionClosed as closed:
            code = 0 if closed.rcvd is None else closed.rcvd.code
            return httpx.Response(401, json={"code": str(code)})
        return httpx.Response(200, json={"type": message["type"]})


def record_endpoints(world: World) -> dict[str, Endpoint]:
    """Return the endpoints that take the ID of an object of a user or an administrator."""
    raw = RawApi(world.person, world.http)

    def endpoint(method: str, path: str) -> Endpoint:
        return lambda handle: raw.call(method, path.format(handle))

    return {
        "consent of the API": endpoint("DELETE", "/api/consents/{}"),
        "standing grant of the API": endpoint("GET", "/api/grants/{}"),
        "deputy of the API": endpoint("DELETE", "/api/deputies/{}"),
        "incident of the API": endpoint("GET", "/api/incidents/{}"),
        "invitation of the API": endpoint("DELETE", "/api/invitations/{}"),
        "group of the API": endpoint("GET", "/api/groups/{}"),
    }
