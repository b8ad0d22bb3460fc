"""A small, strict server of the approver's API, on a real socket.

Owns: its objects and their changes. Never: rules of approvals other than "first decision wins".
"""

import re
import secrets
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any, Self, cast

from tests.support.builders.approval_texts import USER, digest, to_rfc3339, wire_approval
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_devices import OTHER_DEVICE, FakeDevices
from tests.support.fakes.fake_wire import Call, Handler, Refused

CODE = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG-HHHH"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class FakeServer(FakeDevices):
    """A server with one user, one enrollment code, and the approvals that a test adds."""

    def __init__(self) -> None:
        super().__init__()
        self.approvals: dict[str, dict[str, object]] = {}
        self.refresh_token = ""
        self.refreshes = 0
        self.reports: list[dict[str, object]] = []
        self.reported_agents = True
        """Whether a report quarantines the agent of its request."""
        self.code_used = False
        self.consents: list[dict[str, object]] = []
        self.grants: list[dict[str, object]] = []
        self.sign_in = ["authorization_pending"]
        """Error codes that polls of a sign-in get, in this order, before tokens are issued."""
        self.agents: list[dict[str, object]] = []
        self.since: str | None = None
        """The `since` parameter of the last request for a page of approvals."""
        self.attention: dict[str, object] = {
            "quiet_hours": None,
            "quiet_until": None,
            "mutes": [],
            "held": [],
        }
        self.deputies: list[dict[str, object]] = []
        self.deputy_for: list[dict[str, object]] = []
        self.is_stopped = False
        self.expires_in = 600
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"fake": self})
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
        """Stop answering; calling it again is harmless."""
        self.is_stopped = True
        self._http.shutdown()
        self._http.server_close()

    def add(self, approval: dict[str, object] | None = None) -> dict[str, object]:
        """Add this approval, or a new one, and return it."""
        added = approval or wire_approval(number=len(self.approvals) + 1, now=self.now())
        self.approvals[str(added["id"])] = added
        return added

    def decide_elsewhere(self, approval_id: str, decision: str = "deny") -> None:
        """Record a decision from another device."""
        state = {"deny": "denied", "approve": "approved"}[decision]
        decided = self._decided(decision, OTHER_DEVICE, None, None)
        self.approvals[approval_id] |= {"state": state, "decided": decided}

    def answer(self, method: str, path: str, query: dict[str, str], raw: bytes) -> object:
        """Return the response body for an authenticated request."""
        for verb, pattern, work in _ROUTES:
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                return work(self, Call(match.groups(), query, raw))
        raise Refused(404, "not_found")

    def grant(self, form: dict[str, str], proof_key: dict[str, str]) -> object:
        """Return the response body of the token endpoint."""
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

    def _me(self) -> dict[str, object]:
        return {
            "user": {"id": USER, "name": "alice", "email": None, "roles": []},
            "device": self.device() if self.device_keys else None,
            "server_time": to_rfc3339(self.now()),
        }

    def _consents(self, query: dict[str, str]) -> object:
        ended = query.get("ended") == "true"
        return {
            "items": [consent for consent in self.consents if ended or consent["state"] == "live"]
        }

    def _revoke_consent(self, consent_id: str) -> object:
        row = next((consent for consent in self.consents if consent["id"] == consent_id), None)
        if row is None:
            raise Refused(404, "not_found")
        tokens = 2 if row["state"] == "live" else 0
        row |= {"state": "revoked", "revoked_at": to_rfc3339(self.now())}
        return {"consent": row, "tokens_revoked": tokens}

    def _revoke_access(self, client_id: str) -> object:
        found = [
            consent
            for consent in self.consents
            if cast("dict[str, str]", consent["client"])["id"] == client_id
        ]
        for consent in found:
            consent |= {"state": "revoked", "revoked_at": to_rfc3339(self.now())}
        counts = {"grants_ended": 0, "consents_revoked": len(found), "tokens_revoked": 3}
        return {"client_id": client_id, **counts}

    def _grants(self, query: dict[str, str]) -> object:
        ended = query.get("ended") == "true"
        return {"items": [grant for grant in self.grants if ended or grant["state"] == "live"]}

    def _grant(self, grant_id: str) -> dict[str, object]:
        row = next((grant for grant in self.grants if grant["id"] == grant_id), None)
        if row is None:
            raise Refused(404, "not_found")
        return row

    def _revoke_grant(self, grant_id: str) -> object:
        ended = {"state": "ended", "ended_at": to_rfc3339(self.now()), "ended_because": "revoked"}
        found = self._grant(grant_id)
        found |= ended
        return found

    def _preview(self, body: dict[str, object]) -> object:
        """Return a preview: a grant like the first one, which does not cover the request."""
        past = {"id": body["approval"], "state": "pending", "fingerprint": "9f3a-71c0"}
        past |= {"created_at": to_rfc3339(self.now()), "covered": False, "mismatch": "/amount"}
        return {**self.grants[0], "given_at": "medium", "requests": [past]}

    def _show_approval(self, approval_id: str) -> object:
        had = {"id": DEVICE, "name": "laptop", "delivered_at": to_rfc3339(self.now())}
        seen = {"seen_at": to_rfc3339(self.now()), "decided_at": None}
        nonce = f"nonce-{approval_id}"
        return self._find(approval_id) | {"nonce": nonce, "devices": [had | seen]}

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
        if agent_id not in {mute["agent"]["id"] for mute in mutes}:
            raise Refused(404, "not_found")
        self.attention["mutes"] = []
        return None

    def _snooze(self, call: "Call") -> object:
        snooze = {"approval": call.names[0], "until": "2026-01-01T10:00:00.000Z", "why": "snoozed"}
        self.attention["held"] = [snooze]
        return snooze

    def _extend(self, approval_id: str) -> object:
        row = self.approvals[approval_id]
        if row["state"] != "pending" or str(row["expires_at"]) < to_rfc3339(self.now()):
            raise Refused(409, "not_pending")
        row["expires_at"] = "2030-01-01T10:00:00.000Z"
        return self._show_approval(approval_id)

    def _retry(self, approval_id: str) -> object:
        if self.approvals[approval_id]["state"] != "expired":
            raise Refused(409, "not_expired")
        self.approvals[approval_id]["retry"] = "asked"
        return self._show_approval(approval_id)

    def _name_deputy(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"high"}, "sayso-statement+jws")
        expected = digest(f"device-nonce\n{body['deputy']}\n{body['from']}\n{body['to']}")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("deputy", expected, "device-nonce") or self.pin_calls[-1:] != [expected]:
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

    def _revoke_deputy(self, deputy_id: str) -> object:
        if deputy_id not in {deputy["id"] for deputy in self.deputies + self.deputy_for}:
            raise Refused(404, "not_found")
        for deputies in (self.deputies, self.deputy_for):
            deputies[:] = (deputy for deputy in deputies if deputy["id"] != deputy_id)
        return None

    def _page(self, query: dict[str, str]) -> object:
        is_waiting, self.since = query.get("state") == "waiting", query.get("since")
        rows = [a for a in self.approvals.values() if (a["state"] == "pending") is is_waiting]
        start, limit = int(query.get("cursor", "0")), int(query["limit"])
        more = str(start + limit) if start + limit < len(rows) else None
        page = rows[start : start + limit]
        return {
            "items": page,
            "next": more,
            "feed_cursor": 7,
            "server_time": to_rfc3339(self.now()),
        }

    def _find(self, approval_id: str) -> dict[str, object]:
        if approval_id not in self.approvals:
            raise Refused(404, "not_found")
        return self.approvals[approval_id]

    def _decide(self, call: Call) -> object:
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
        if claims["decision"] == "withdraw":
            return self._withdraw(row)
        if body.get("ask") == "nobody":
            raise Refused(422, "invalid_body")
        if claims["decision"] == "approve":
            self.pin_tries = 0
        row["state"] = "approved" if claims["decision"] == "approve" else "denied"
        note = body.get("note")
        row["decided"] = self._decided(str(claims["decision"]), DEVICE, claims["code"], note)
        row |= {name: body.get(name) for name in ("retry_at", "ask", "private_note")}
        return row

    def _withdraw(self, row: dict[str, object]) -> object:
        tally = cast("dict[str, Any]", row["vote_tally"])
        own = [
            answer for answer in tally["answers"] if answer["by"]["id"] == USER and answer["counts"]
        ]
        if not own:
            raise Refused(409, "no_vote", approval=row)
        own[0] |= {"decision": "withdraw", "counts": False}
        tally["have"] -= 1
        return row

    def _report(self, call: Call) -> object:
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
        opened = {"incident": "sayso_ic_aaaaaaaaaaaaaaaa", "opened_at": to_rfc3339(self.now())}
        return {**opened, "scope": body["scope"], "agents": stopped, "approval": row}

    def _decided(self, decision: str, device: str, code: object, note: object) -> dict[str, object]:
        return {
            "decision": decision,
            "by": {"id": USER, "name": "alice"},
            "device": {"id": device, "name": "laptop" if device == DEVICE else "desktop"},
            "at": to_rfc3339(self.now()),
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


_DEVICE = r"/api/devices/([^/]+)"
_APPROVAL = r"/api/approvals/([^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[[FakeServer, Call], object]], ...] = (
    ("GET", "/api/me", lambda fake, _: fake._me()),
    ("GET", "/api/consents", lambda fake, call: fake._consents(call.query)),
    ("DELETE", "/api/consents/([^/]+)", lambda fake, call: fake._revoke_consent(*call.names)),
    ("DELETE", "/api/acting/([^/]+)", lambda fake, call: fake._revoke_access(*call.names)),
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
    ("POST", "/api/devices/codes", lambda fake, call: fake._one_time_code(call.body)),
    ("GET", "/api/user-code", lambda fake, _: {"set": fake.user_code is not None}),
    ("POST", "/api/user-code", lambda fake, call: fake._user_code(call.body)),
    ("GET", "/api/deputies", lambda fake, _: {"mine": fake.deputies, "others": fake.deputy_for}),
    ("POST", "/api/deputies", lambda fake, call: fake._name_deputy(call.body)),
    ("DELETE", "/api/deputies/([^/]+)", lambda fake, call: fake._revoke_deputy(*call.names)),
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
    ("GET", _APPROVAL, lambda fake, call: fake._show_approval(*call.names)),
    ("POST", f"{_APPROVAL}/report", lambda fake, call: fake._report(call)),
    ("POST", f"{_APPROVAL}/decision", lambda fake, call: fake._decide(call)),
)
