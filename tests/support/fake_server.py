"""A server of the approver's API, small and strict, on a real socket.

Owns: checking what the terminal proves and signs, with PyJWT, which the terminal does not use;
the faults that tests ask for. Never: rules of approvals beyond first decision wins.
"""

import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm

from tests.support.approval_texts import USER, b64, digest, when, wire_approval

CODE = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG-HHHH"
DEVICE = "sayso_dv_dddddddddddddddd"
OTHER_DEVICE = "sayso_dv_eeeeeeeeeeeeeeee"
TRIES = 10
USER_CODE = "BCDF-GHJK"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


RETRY_AFTER = "17"


class Refused(Exception):
    """What a request is answered with instead."""

    def __init__(self, status: int, code: str, **members: object) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "error": code, "detail": f"Refused: {code}.", **members}


@dataclass(frozen=True, slots=True)
class _Call:
    """One authenticated request."""

    names: tuple[str, ...]
    query: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, object]:
        """The JSON object that was sent."""
        body = json.loads(self.raw)
        if not isinstance(body, dict):
            raise Refused(422, "invalid_body")
        return body


@dataclass(slots=True)
class Faults:
    """What goes wrong next; each is used up."""

    lose_answer_to: set[str] = field(default_factory=set)
    """Ends of paths whose request is done and whose answer is lost."""
    drop_request_to: set[str] = field(default_factory=set)
    """Ends of paths whose request is lost before it is done."""
    refuse_token_once: bool = False
    is_too_often: bool = False
    """Whether what is asked next comes too soon, `RETRY_AFTER` seconds of it."""


class FakeServer:
    """One user, one enrolment code, and whatever approvals a test adds."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.approvals: dict[str, dict[str, object]] = {}
        self.tokens: set[str] = set()
        self.refresh_token = ""
        self.device_keys: dict[str, dict[str, str]] = {}
        self.session_key: dict[str, str] | None = None
        self.pin_tries = 0
        self.pin_calls: list[str] = []
        self.refreshes = 0
        self.statements: list[str] = []
        self.user_code: str | None = None
        self.password: str | None = None
        self.revoked: list[str] = []
        self.reports: list[dict[str, object]] = []
        self.reported_agents = True
        """Whether reports stop the agent of their request."""
        self.code_used = False
        self.consents: list[dict[str, object]] = []
        self.grants: list[dict[str, object]] = []
        self.sign_in = ["authorization_pending"]
        """What polls of a sign-in are answered with before it is let in."""
        self.agents: list[dict[str, object]] = []
        self.since: str | None = None
        """From when on what is over was asked for last."""
        self.attention: dict[str, object] = {
            "quiet_hours": None,
            "quiet_until": None,
            "mutes": [],
            "held": [],
        }
        self.deputies: list[dict[str, object]] = []
        self.is_stopped = False
        self.clock_ahead = 0
        self.expires_in = 600
        self._seen_proofs: set[str] = set()
        self._pin_key = secrets.token_bytes(32)
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.issuer = f"http://localhost:{self._http.server_port}"
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop answering; a second time nothing happens."""
        self.is_stopped = True
        self._http.shutdown()
        self._http.server_close()

    def now(self) -> int:
        """Return this server's time in milliseconds."""
        return int(time.time() * 1000) + self.clock_ahead

    def add(self, approval: dict[str, object] | None = None) -> dict[str, object]:
        """Let somebody ask for something."""
        asked = approval or wire_approval(number=len(self.approvals) + 1, now=self.now())
        self.approvals[str(asked["id"])] = asked
        return asked

    def decide_elsewhere(self, approval_id: str, decision: str = "deny") -> None:
        """Let another device be faster."""
        state = {"deny": "denied", "approve": "approved"}[decision]
        decided = self._decided(decision, OTHER_DEVICE, None, None)
        self.approvals[approval_id] |= {"state": state, "decided": decided}

    def answer(self, method: str, path: str, query: dict[str, str], raw: bytes) -> object:
        """Return the body of the answer to an authenticated request."""
        for verb, pattern, work in _ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return work(self, _Call(found.groups(), query, raw))
        raise Refused(404, "not_found")

    def grant(self, form: dict[str, str], proof_key: dict[str, str]) -> object:
        """Return tokens."""
        if form.get("client_id") != "sayso-approver":
            raise Refused(401, "invalid_client")
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != self.refresh_token or proof_key != self.session_key:
                raise Refused(400, "invalid_grant")
            self.refreshes += 1
        elif form["grant_type"] == DEVICE_GRANT:
            if self.sign_in:
                raise Refused(400, self.sign_in.pop(0))
            self.session_key = proof_key
        else:
            if self.code_used or form["code"] != CODE.replace("-", ""):
                raise Refused(400, "invalid_grant")
            self.code_used, self.session_key = True, proof_key
        access = secrets.token_urlsafe(24)
        self.tokens.add(access)
        self.refresh_token = f"sayso_rt_{secrets.token_urlsafe(32)}"
        return {
            "access_token": access,
            "token_type": "DPoP",
            "expires_in": self.expires_in,
            "refresh_token": self.refresh_token,
        }

    def check_proof(self, proof: str, method: str, path: str, token: str | None) -> dict[str, str]:
        """Return the key that a DPoP proof is signed with."""
        jwk = cast("dict[str, str]", jwt.get_unverified_header(proof)["jwk"])
        claims = jwt.decode(proof, _key(jwk), algorithms=["ES256"], options={"verify_iat": False})
        is_fresh = abs(claims["iat"] - self.now() / 1000) < 60
        ath = None if token is None else b64(hashlib.sha256(token.encode()).digest())
        named = (claims["htm"], claims["htu"], claims.get("ath"))
        is_new = claims["jti"] not in self._seen_proofs
        self._seen_proofs.add(claims["jti"])
        if not (is_fresh and is_new and named == (method, self.issuer + path, ath)):
            raise Refused(401, "invalid_dpop_proof")
        return jwk

    def check_token(self, authorization: str, proof: str, method: str, path: str) -> None:
        """Refuse a token that is unknown, revoked or bound to another key."""
        token = authorization.removeprefix("DPoP ")
        if self.faults.refuse_token_once:
            self.faults.refuse_token_once = False
            self.tokens.discard(token)
        if {"self", DEVICE} & set(self.revoked) or token not in self.tokens:
            raise Refused(401, "invalid_token")
        if self.check_proof(proof, method, path, token) != self.session_key:
            raise Refused(401, "invalid_dpop_proof")

    def device(self, *, other: bool = False) -> dict[str, object]:
        """Return a device as the API shows it."""
        keys = {name: _thumbprint(jwk) for name, jwk in self.device_keys.items()}
        return {
            "id": OTHER_DEVICE if other else DEVICE,
            "name": "desktop" if other else "laptop",
            "kind": "terminal",
            "state": "active",
            "created_at": when(self.now()),
            "last_seen_at": None,
            "high_from": when(self.now()),
            "this": not other,
            "keys": keys or {"session": "s", "low": "l", "high": "h"},
            "pin": {
                "tries": self.pin_tries,
                "left": TRIES - self.pin_tries,
                "locked": self.pin_tries >= TRIES,
                "exhausted": False,
            },
            "nonce": "device-nonce",
        }

    def _me(self) -> dict[str, object]:
        return {
            "user": {"id": USER, "name": "alice", "email": None, "roles": []},
            "device": self.device() if self.device_keys else None,
            "server_time": when(self.now()),
        }

    def _add_device(self, body: dict[str, object]) -> object:
        approval_keys = cast("dict[str, dict[str, str]]", body["approval_keys"])
        self.device_keys = {"session": cast("dict[str, str]", self.session_key), **approval_keys}
        return self.device() | {"name": body["name"]}

    def _consents(self, query: dict[str, str]) -> object:
        ended = query.get("ended") == "true"
        return {"items": [each for each in self.consents if ended or each["state"] == "live"]}

    def _revoke_consent(self, consent_id: str) -> object:
        found = next((each for each in self.consents if each["id"] == consent_id), None)
        if found is None:
            raise Refused(404, "not_found")
        tokens = 2 if found["state"] == "live" else 0
        found |= {"state": "revoked", "revoked_at": when(self.now())}
        return {"consent": found, "tokens_revoked": tokens}

    def _stop_acting(self, client_id: str) -> object:
        found = [
            each
            for each in self.consents
            if cast("dict[str, str]", each["client"])["id"] == client_id
        ]
        for each in found:
            each |= {"state": "revoked", "revoked_at": when(self.now())}
        counts = {"grants_ended": 0, "consents_revoked": len(found), "tokens_revoked": 3}
        return {"client_id": client_id, **counts}

    def _grants(self, query: dict[str, str]) -> object:
        ended = query.get("ended") == "true"
        return {"items": [each for each in self.grants if ended or each["state"] == "live"]}

    def _grant(self, grant_id: str) -> dict[str, object]:
        found = next((each for each in self.grants if each["id"] == grant_id), None)
        if found is None:
            raise Refused(404, "not_found")
        return found

    def _revoke_grant(self, grant_id: str) -> object:
        ended = {"state": "ended", "ended_at": when(self.now()), "ended_because": "revoked"}
        found = self._grant(grant_id)
        found |= ended
        return found

    def _preview(self, body: dict[str, object]) -> object:
        """What a grant would be that is like the first one, and that it covers no request."""
        past = {"id": body["approval"], "state": "pending", "fingerprint": "9f3a-71c0"}
        past |= {"created_at": when(self.now()), "covered": False, "misfit": "/amount"}
        return {**self.grants[0], "given_at": "medium", "requests": [past]}

    def _devices(self) -> object:
        return {"items": [self.device(), self.device(other=True)]}

    def _revoke(self, device: str) -> None:
        self.revoked.append(device)

    def _shown(self, approval_id: str) -> object:
        had = {"id": DEVICE, "name": "laptop", "delivered_at": when(self.now())}
        seen = {"seen_at": when(self.now()), "decided_at": None}
        nonce = f"nonce-{approval_id}"
        return self._find(approval_id) | {"nonce": nonce, "devices": [had | seen]}

    def _pin(self, body: dict[str, object]) -> object:
        if self.pin_tries >= TRIES:
            raise Refused(423, "device_locked")
        self.pin_tries += 1
        self.pin_calls.append(str(body["for"]))
        y = hmac.digest(self._pin_key, str(body["x"]).encode(), "sha256")
        left = TRIES - self.pin_tries
        return {"y": b64(y), "nonce": "pin-nonce", "tries": self.pin_tries, "left": left}

    def _confirm(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"low", "high"}, "sayso-statement+jws")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("pin", DEVICE, "pin-nonce"):
            raise Refused(422, "invalid_statement")
        self.pin_tries = 0
        return {"tries": 0}

    def _about(self, call: _Call) -> object:
        device, purpose = call.names
        signed = str(call.body["statement"])
        _, claims = self._verified(signed, {"high"}, "sayso-statement+jws")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != (purpose, device, "device-nonce"):
            raise Refused(422, "invalid_statement")
        self.statements.append(purpose)
        self.pin_tries = 0
        return self.device(other=True)

    def _user_code(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"low", "high"}, "sayso-statement+jws")
        wanted = digest(f"device-nonce\n{body['code'] or ''}")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("user_code", wanted, "device-nonce"):
            raise Refused(422, "invalid_statement")
        self.user_code = None if body["code"] is None else str(body["code"])
        self.pin_tries = 0
        return {"set": self.user_code is not None}

    def _quiet(self, body: dict[str, object]) -> object:
        self.attention["quiet_hours"] = {"days": ["mon", "tue"]} | body
        return self.attention

    def _mute(self, body: dict[str, object]) -> object:
        until = None if "minutes" not in body else "2026-01-01T10:00:00.000Z"
        agent = {"id": "sayso_ag_1", "name": body["agent"]}
        mute = {"agent": agent, "since": "2026-01-01T09:00:00.000Z", "until": until}
        self.attention["mutes"] = [mute]
        return mute

    def _unmute(self, agent_id: str) -> object:
        mutes = cast("list[dict[str, Any]]", self.attention["mutes"])
        if agent_id not in {one["agent"]["id"] for one in mutes}:
            raise Refused(404, "not_found")
        self.attention["mutes"] = []
        return None

    def _snooze(self, call: "_Call") -> object:
        held = {"approval": call.names[0], "until": "2026-01-01T10:00:00.000Z", "why": "snoozed"}
        self.attention["held"] = [held]
        return held

    def _extend(self, approval_id: str) -> object:
        found = self.approvals[approval_id]
        if found["state"] != "pending" or str(found["expires_at"]) < when(self.now()):
            raise Refused(409, "not_pending")
        found["expires_at"] = "2030-01-01T10:00:00.000Z"
        return self._shown(approval_id)

    def _retry(self, approval_id: str) -> object:
        if self.approvals[approval_id]["state"] != "expired":
            raise Refused(409, "not_expired")
        self.approvals[approval_id]["retry"] = "asked"
        return self._shown(approval_id)

    def _password(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"high"}, "sayso-statement+jws")
        wanted = digest(f"device-nonce\n{body['password']}")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("password", wanted, "device-nonce"):
            raise Refused(422, "invalid_statement")
        if self.pin_calls[-1:] != [wanted]:
            raise Refused(403, "pin_required")
        before, self.password = self.password, str(body["password"])
        self.pin_tries = 0
        return {"set": True, "sign_ins_ended": 0 if before is None else 1}

    def _name_deputy(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"high"}, "sayso-statement+jws")
        wanted = digest(f"device-nonce\n{body['deputy']}\n{body['from']}\n{body['to']}")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("deputy", wanted, "device-nonce") or self.pin_calls[-1:] != [wanted]:
            raise Refused(422, "invalid_statement")
        self.deputies = [
            {
                "id": "sayso_dy_1",
                "user": {"id": USER, "name": "alice"},
                "deputy": {"id": "sayso_us_b", "name": body["deputy"]},
                "from": body["from"],
                "to": body["to"],
                "state": "named",
            }
        ]
        return self.deputies[0]

    def _end_deputy(self, deputy_id: str) -> object:
        if deputy_id not in {one["id"] for one in self.deputies}:
            raise Refused(404, "not_found")
        self.deputies.clear()
        return None

    def _page(self, query: dict[str, str]) -> object:
        is_waiting, self.since = query.get("state") == "waiting", query.get("since")
        wanted = [a for a in self.approvals.values() if (a["state"] == "pending") is is_waiting]
        start, limit = int(query.get("cursor", "0")), int(query["limit"])
        more = str(start + limit) if start + limit < len(wanted) else None
        page = wanted[start : start + limit]
        return {"items": page, "next": more, "feed_cursor": 7, "server_time": when(self.now())}

    def _find(self, approval_id: str) -> dict[str, object]:
        if approval_id not in self.approvals:
            raise Refused(404, "not_found")
        return self.approvals[approval_id]

    def _decide(self, call: _Call) -> object:
        row, body = self._find(call.names[0]), call.body
        signed = str(body["decision"])
        name, claims = self._verified(signed, {"session", "low", "high"}, "sayso-decision+jws")
        self._check_decision(row, name, claims)
        if row["state"] in {"expired", "cancelled"}:
            raise Refused(409, "not_pending", approval=row)
        if row["decided"] is not None:
            before = cast("dict[str, dict[str, str]]", row["decided"])
            if (before["device"]["id"], before["decision"]) == (DEVICE, claims["decision"]):
                return row
            raise Refused(409, "already_decided", approval=row)
        if body.get("ask") == "nobody":
            raise Refused(422, "invalid_body")
        if claims["decision"] == "approve":
            self.pin_tries = 0
        row["state"] = "approved" if claims["decision"] == "approve" else "denied"
        note = body.get("note")
        row["decided"] = self._decided(str(claims["decision"]), DEVICE, claims["code"], note)
        row |= {name: body.get(name) for name in ("retry_at", "ask", "private_note")}
        return row

    def _report(self, call: _Call) -> object:
        row, body = self._find(call.names[0]), call.body
        name, claims = self._verified(str(body["decision"]), {"session"}, "sayso-decision+jws")
        self._check_decision(row, name, claims)
        if claims["code"] != "suspicious":
            raise Refused(422, "invalid_decision")
        self.reports.append({name: body.get(name) for name in ("scope", "note")})
        if row["state"] == "pending":
            row["state"] = "denied"
            row["decided"] = self._decided("deny", DEVICE, "suspicious", None)
        agents = cast("list[object]", [row["agent"]] if self.reported_agents else [])
        stopped = [
            {
                "client_id": cast("dict[str, str]", agent)["id"],
                "name": cast("dict[str, str]", agent)["name"],
                "state": "quarantined",
                "tokens_revoked": 2,
                "descendants_revoked": 0,
                "requests_cancelled": 1,
                "approved_cancelled": 0,
            }
            for agent in agents
        ]
        opened = {"incident": "sayso_ic_aaaaaaaaaaaaaaaa", "opened_at": when(self.now())}
        return {**opened, "scope": body["scope"], "agents": stopped, "approval": row}

    def _check_decision(self, row: dict[str, object], name: str, claims: dict[str, object]) -> None:
        expected = {
            "iss": DEVICE,
            "sub": USER,
            "aud": self.issuer,
            "approval": row["id"],
            "action_digest": row["action_digest"],
            "display_digest": row["display_digest"],
            "granted": None,
            "nonce": f"nonce-{row['id']}",
        }
        others = {"decision", "code", "ceremony", "at"}
        if {k: v for k, v in claims.items() if k not in others} != expected:
            raise Refused(422, "invalid_decision")
        if claims["decision"] == "deny":
            if claims["ceremony"] != "none" or claims["code"] is None:
                raise Refused(422, "invalid_decision")
        elif name == "session" or (row["ceremony"] == "pin" and name != "high"):
            raise Refused(403, "key_not_allowed")
        elif row["ceremony"] == "pin" and row["id"] not in self.pin_calls:
            raise Refused(403, "pin_required")

    def _verified(self, signed: str, allowed: set[str], kind: str) -> tuple[str, dict[str, object]]:
        header = jwt.get_unverified_header(signed)
        named = {_thumbprint(jwk): name for name, jwk in self.device_keys.items()}
        name = named.get(header["kid"], "")
        if name not in allowed or set(header) != {"alg", "kid", "typ"} or header["typ"] != kind:
            raise Refused(422, "invalid_decision")
        key = _key(self.device_keys[name])
        payload = jwt.api_jws.decode(signed, key, algorithms=["ES256"])
        return name, json.loads(payload)

    def _decided(self, decision: str, device: str, code: object, note: object) -> dict[str, object]:
        return {
            "decision": decision,
            "by": {"id": USER, "name": "alice"},
            "device": {"id": device, "name": "laptop" if device == DEVICE else "desktop"},
            "at": when(self.now()),
            "channel": "terminal",
            "code": code if code is not None or decision == "approve" else "not_needed",
            "note": note,
            "ceremony": "pin" if decision == "approve" else "none",
            "self_approved": False,
            "reason": None,
            "retry_at": None,
            "ask": None,
            "private_note": None,
        }


class _Handler(BaseHTTPRequestHandler):
    """HTTP in and out."""

    fake: FakeServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one segment per answer, or the peer's delayed ACK costs 40 ms

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002  # the library's signature
        """The Date header tells this server's time."""
        return super().date_time_string(self.fake.now() / 1000)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.fake.is_stopped or self._is_hit(self.fake.faults.drop_request_to, parts.path):
            self.close_connection = True
            return
        with self.fake.lock:
            status, body = self._outcome(lambda: self._done(parts.path, parts.query, raw))
        if self._is_hit(self.fake.faults.lose_answer_to, parts.path):
            return
        self._send(status, body)

    def _is_hit(self, ends: set[str], path: str) -> bool:
        hit = {end for end in ends if path.endswith(end)}
        ends -= hit
        self.close_connection |= bool(hit)
        return bool(hit)

    def _outcome(self, work: Callable[[], object]) -> tuple[int, object]:
        try:
            return 200, work()
        except Refused as refused:
            return refused.status, refused.body
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            return 422, {"code": "invalid_body", "detail": repr(error)}

    def _done(self, path: str, query: str, raw: bytes) -> object:
        fake = self.fake
        if path == "/.well-known/openid-configuration":
            return {"issuer": fake.issuer, "token_endpoint": f"{fake.issuer}/token"}
        proof = self.headers["DPoP"]
        if path == "/device_authorization":
            fake.check_proof(proof, self.command, path, None)
            codes = {"device_code": "sayso_dc_x", "user_code": USER_CODE}
            return codes | {"interval": 0, "expires_in": 900}
        if path == "/token":
            key = fake.check_proof(proof, self.command, path, None)
            return fake.grant(_flat(raw.decode()), key)
        fake.check_token(self.headers["Authorization"], proof, self.command, path)
        if fake.faults.is_too_often:
            fake.faults.is_too_often = False
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited")
        return fake.answer(self.command, path, _flat(query), raw)

    def _send(self, status: int, body: object) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(204 if body is None else status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self.send_header("Retry-After", RETRY_AFTER)
        self.end_headers()
        self.wfile.write(raw)


def _key(jwk: dict[str, str]) -> EllipticCurvePublicKey:
    return cast("EllipticCurvePublicKey", ECAlgorithm.from_jwk(jwk))


def _thumbprint(jwk: dict[str, str]) -> str:
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return digest(json.dumps(members, separators=(",", ":")))


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


_DEVICE = r"/api/devices/([^/]+)"
_APPROVAL = r"/api/approvals/([^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[[FakeServer, _Call], object]], ...] = (
    ("GET", "/api/me", lambda fake, _: fake._me()),
    ("GET", "/api/consents", lambda fake, call: fake._consents(call.query)),
    ("DELETE", "/api/consents/([^/]+)", lambda fake, call: fake._revoke_consent(*call.names)),
    ("DELETE", "/api/acting/([^/]+)", lambda fake, call: fake._stop_acting(*call.names)),
    ("GET", "/api/grants", lambda fake, call: fake._grants(call.query)),
    ("GET", "/api/grants/([^/]+)", lambda fake, call: fake._grant(*call.names)),
    ("DELETE", "/api/grants/([^/]+)", lambda fake, call: fake._revoke_grant(*call.names)),
    ("POST", "/api/grants/preview", lambda fake, call: fake._preview(call.body)),
    ("GET", "/api/devices", lambda fake, _: fake._devices()),
    ("POST", "/api/devices", lambda fake, call: fake._add_device(call.body)),
    ("POST", "/api/devices/self/pin", lambda fake, call: fake._pin(call.body)),
    ("POST", "/api/devices/self/pin/confirmation", lambda fake, call: fake._confirm(call.body)),
    ("POST", f"{_DEVICE}/(unlock|vouch)", lambda fake, call: fake._about(call)),
    ("GET", "/api/password", lambda fake, _: {"set": fake.password is not None}),
    ("POST", "/api/password", lambda fake, call: fake._password(call.body)),
    ("GET", "/api/user-code", lambda fake, _: {"set": fake.user_code is not None}),
    ("POST", "/api/user-code", lambda fake, call: fake._user_code(call.body)),
    ("GET", "/api/deputies", lambda fake, _: {"mine": fake.deputies, "others": []}),
    ("POST", "/api/deputies", lambda fake, call: fake._name_deputy(call.body)),
    ("DELETE", "/api/deputies/([^/]+)", lambda fake, call: fake._end_deputy(*call.names)),
    ("GET", "/api/attention", lambda fake, _: fake.attention),
    ("PUT", "/api/attention/quiet-hours", lambda fake, call: fake._quiet(call.body)),
    (
        "DELETE",
        "/api/attention/quiet-hours",
        lambda fake, _: fake.attention.update(quiet_hours=None),
    ),
    ("POST", "/api/attention/mutes", lambda fake, call: fake._mute(call.body)),
    ("DELETE", "/api/attention/mutes/([^/]+)", lambda fake, call: fake._unmute(*call.names)),
    ("POST", f"{_APPROVAL}/snooze", lambda fake, call: fake._snooze(call)),
    ("DELETE", f"{_APPROVAL}/snooze", lambda fake, _: fake.attention.update(held=[])),
    ("POST", f"{_APPROVAL}/extension", lambda fake, call: fake._extend(*call.names)),
    ("POST", f"{_APPROVAL}/retry", lambda fake, call: fake._retry(*call.names)),
    ("DELETE", _DEVICE, lambda fake, call: fake._revoke(*call.names)),
    ("GET", "/api/agents", lambda fake, _: {"items": fake.agents, "next": None}),
    ("GET", "/api/approvals", lambda fake, call: fake._page(call.query)),
    ("GET", _APPROVAL, lambda fake, call: fake._shown(*call.names)),
    ("POST", f"{_APPROVAL}/report", lambda fake, call: fake._report(call)),
    ("POST", f"{_APPROVAL}/decision", lambda fake, call: fake._decide(call)),
)
