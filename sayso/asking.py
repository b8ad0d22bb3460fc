"""The rules of an agent that asks: request, wait, exchange. It does no HTTP itself.

1. A request without a response is sent again with the same `Idempotency-Key`, so nobody is asked
   twice.
2. A poll asks the server to hold it. If the server does not, the next poll is sent `interval`
   seconds after it. `slow_down` sets the interval to the one in the response or adds five seconds.
   The pause is never shorter than `Retry-After`.
3. An agent in ping mode polls immediately, and again at each ping. A ping can be lost, and an
   expiry sends no ping, so it also polls every minute.
4. If the server cannot be reached or is overloaded, the request stays open, so polling continues
   until it expires.

Owns: what is sent to Sayso, and when. Never: sockets and clocks (`transport`), messages (`errors`).
"""

import secrets
from collections.abc import Mapping
from typing import Final

from sayso.approved import Approved, read_approved
from sayso.credentials import Credentials
from sayso.dpop import ProofKey
from sayso.errors import SaysoError, Unreachable, from_answer
from sayso.issuer import Issuer
from sayso.keys import dpop_key
from sayso.ping import Pings, Wake
from sayso.request_form import (
    Action,
    Asked,
    Options,
    check_types,
    check_unicode,
    free_parameters,
    name_arguments,
    to_form,
)
from sayso.transport import TIMEOUT, Flow, Reply, Send, Sleep

CIBA: Final = "urn:openid:params:grant-type:ciba"
_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  # a name
_HOLD_SECONDS: Final = 25
"""The number of seconds for which the server should hold a poll; less than proxies allow."""
_INTERVAL: Final = 5.0
_PING_POLL_SECONDS: Final = 60.0
"""Seconds between two polls of an agent in ping mode."""
_MAX_ATTEMPTS: Final = 5
_OK: Final = 200
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
"""This status and all higher ones are failures of the server or a proxy, not answers."""

_NO_TOKEN: Final = "client_notification_token is missing."  # noqa: S105  # a message
_PING_NEEDED: Final = (
    "The agent is registered for callbacks. If it is registered with `--delivery ping`, pass "
    "ping=True to Agent. This library does not receive pushes."
)
_PING_REFUSED: Final = "ping=True needs an agent that is registered with `--delivery ping`."


class Asking:
    """One agent's side of the protocol. Most methods return a flow for `transport` to run."""

    def __init__(self, issuer: str, credentials: Credentials, *, ping: bool = False) -> None:
        self._issuer = Issuer(issuer)
        self._credentials = credentials
        self._hold_seconds = 0 if ping else _HOLD_SECONDS
        self._pings = Pings(credentials.seed())
        self._ping_poll_seconds = _PING_POLL_SECONDS if ping else 0.0
        self._can_poll = not ping
        """Whether results can be polled. In ping mode, False until this is checked."""
        self._key: ProofKey | None = None
        """The key for DPoP proofs; None until the server first requires a proof."""

    def ask(self, user: str, action: Action, options: Options) -> Flow[Approved]:
        """Ask a user; return the approval. Raises the errors of `sayso.errors`."""
        if not user:
            raise ValueError("user is missing: a user name, email address or ID.")
        token = options.get("caller_token")
        hint = {"login_hint": user} if token is None else {"login_hint_token": token}
        form = {**hint, **to_form(action, options)}
        return (yield from self._ask_and_wait(form, options))

    def exchange(self, subject_token: str, action: Action, options: Options) -> Flow[Approved]:
        """Exchange a person's token; asks the person if the server says so."""
        request_form = to_form(action, options)
        form = {
            "grant_type": _EXCHANGE,
            "subject_token": subject_token,
            "subject_token_type": _ACCESS_TOKEN,
            "scope": request_form["scope"].removeprefix("openid").strip(),
            "resource": request_form.get("resource", ""),
            "authorization_details": request_form.get("authorization_details", ""),
        }
        reply = yield from self._post("token_endpoint", {k: v for k, v in form.items() if v}, {})
        if reply.status == _OK and "access_token" in reply.body:
            return read_approved(reply.body, self._key)
        if reply.body.get("error") != "interaction_required":
            raise from_answer(reply.status, reply.body)
        check_types(reply.body.get("authorization_details_types", []), form)
        hinted_form = {"scope": "openid", "login_hint_token": str(reply.body["login_hint_token"])}
        if "authorization_details" in request_form:
            hinted_form["authorization_details"] = request_form["authorization_details"]
        return (yield from self._ask_and_wait(hinted_form | free_parameters(request_form), options))

    def withdraw(self, asked: Asked) -> Flow[None]:
        """Withdraw a request. The call that waits for it, if any, raises `Withdrawn`."""
        reply = yield from self._post("revocation_endpoint", {"token": asked.auth_req_id}, {})
        if reply.status != _OK:
            raise from_answer(reply.status, reply.body)

    def pinged(self, authorization: str | None, body: bytes) -> int:
        """Handle a ping; return the status to respond with. Raises ValueError without `ping`."""
        if not self._ping_poll_seconds:
            raise ValueError("This agent does not expect pings. Pass ping=True to Agent.")
        return self._pings.receive(authorization, body)

    def _ask_and_wait(self, form: Mapping[str, str], options: Options) -> Flow[Approved]:
        if not self._can_poll:
            yield from self._check_polling()
        if self._ping_poll_seconds:
            form = {**form, "client_notification_token": self._pings.token}
        key = options.get("idempotency_key") or secrets.token_urlsafe(24)
        asked = yield from self._request(form, key)
        if (on_asked := options.get("on_asked")) is not None:
            on_asked(asked)
        with self._pings.waiting(asked.auth_req_id) as wake:
            return (yield from self._wait(asked, key, wake))

    def _check_polling(self) -> Flow[None]:
        """Refuse an agent in push mode before anyone is asked, by polling with a made-up ID."""
        form = {"grant_type": CIBA, "auth_req_id": secrets.token_urlsafe(24)}
        reply = yield from self._post("token_endpoint", form, {})
        if reply.body.get("error") == "unauthorized_client":
            text = f"{reply.body.get('error_description', '')} {_PING_REFUSED}"
            raise from_answer(reply.status, {**reply.body, "error_description": text})
        self._can_poll = True

    def _request(self, form: Mapping[str, str], key: str) -> Flow[Asked]:
        reply = yield from self._post(
            "backchannel_authentication_endpoint", form, {"Idempotency-Key": key}
        )
        if reply.status != _OK or "auth_req_id" not in reply.body:
            raise _request_error(reply)
        body = reply.body
        match_code = body.get("match_code")
        return Asked(
            auth_req_id=str(body["auth_req_id"]),
            expires_in=int(body["expires_in"]),
            interval=float(body.get("interval", _INTERVAL)),
            fingerprint=str(body.get("fingerprint", "")),
            match_code=None if match_code is None else str(match_code),
        )

    def _wait(self, asked: Asked, key: str, wake: Wake) -> Flow[Approved]:
        form = {"grant_type": CIBA, "auth_req_id": asked.auth_req_id}
        headers = {
            "Idempotency-Key": key,
            **({"Prefer": f"wait={self._hold_seconds}"} if self._hold_seconds else {}),
        }
        interval, silent_seconds = asked.interval, 0.0  # since the last answer
        while True:
            next_ping = wake.next
            try:
                reply = yield from self._send_once(
                    "token_endpoint", form, headers, TIMEOUT + self._hold_seconds
                )
            except Unreachable as unreachable:
                silent_seconds += unreachable.seconds + interval
                if silent_seconds > asked.expires_in:
                    raise
                yield Sleep(interval)
                continue
            if reply.status == _OK and "access_token" in reply.body:
                return read_approved(reply.body, self._key)
            interval = _next_interval(interval, reply)
            pause = max(reply.retry_after, interval - reply.seconds, self._ping_poll_seconds)
            is_busy = _is_busy(reply)
            silent_seconds = silent_seconds + reply.seconds + pause if is_busy else 0.0
            if silent_seconds > asked.expires_in:
                raise from_answer(reply.status, reply.body)
            if pause > 0:
                yield Sleep(pause, next_ping)

    def _post(
        self, endpoint: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> Flow[Reply]:
        """Send a call; repeat it a few times if there is no response or the server is busy."""
        check_unicode(form)
        for attempt in range(_MAX_ATTEMPTS):
            pause = 2.0**attempt
            try:
                reply = yield from self._send_once(endpoint, form, headers, TIMEOUT)
            except Unreachable:
                if attempt == _MAX_ATTEMPTS - 1:
                    raise
            else:
                if not _is_busy(reply) or attempt == _MAX_ATTEMPTS - 1:
                    return reply
                pause = max(pause, reply.retry_after)
            yield Sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _send_once(
        self, endpoint: str, form: Mapping[str, str], headers: Mapping[str, str], timeout: float
    ) -> Flow[Reply]:
        """Send once, and again immediately if the server requires a proof or a newer nonce."""
        url = yield from self._issuer.endpoint(endpoint)
        for retries_left in (2, 1, 0):
            auth_headers, auth_params = self._credentials.proof(self._issuer.url)
            proof = {} if self._key is None else {"DPoP": self._key.proof("POST", url)}
            all_headers = {**headers, **auth_headers, **proof}
            reply = yield Send("POST", url, all_headers, {**form, **auth_params}, timeout=timeout)
            if not self._wants_proof(url, reply, had_proof=bool(proof)) or not retries_left:
                return reply
        raise AssertionError("the last attempt returns")

    def _wants_proof(self, url: str, reply: Reply, *, had_proof: bool) -> bool:
        """Whether to retry with a proof or a nonce. Another thread may already have stored it."""
        is_refused = reply.body.get("error") == (
            "use_dpop_nonce" if had_proof else "invalid_dpop_proof"
        )
        if is_refused and self._key is None:
            self._key = ProofKey(dpop_key(self._credentials.seed()))
        if self._key is not None:
            self._key.note(url, reply.headers)
        return is_refused


def _is_busy(reply: Reply) -> bool:
    """Return whether to send the call again: the server is overloaded or failing."""
    return reply.status == _TOO_MANY_REQUESTS or reply.status >= _SERVER_ERROR


def _request_error(reply: Reply) -> SaysoError:
    """Return the error for a request that was not created; it names arguments, not parameters."""
    text = str(reply.body.get("error_description") or "").replace(_NO_TOKEN, _PING_NEEDED)
    return from_answer(reply.status, {**reply.body, "error_description": name_arguments(text)})


def _next_interval(interval: float, reply: Reply) -> float:
    """Return the interval before the next poll. Raises SaysoError if the request has ended."""
    error = reply.body.get("error")
    if error == "slow_down":
        return float(reply.body.get("interval", interval + _INTERVAL))
    if error != "authorization_pending" and not _is_busy(reply):
        raise from_answer(reply.status, reply.body)
    return interval
