"""How to open every page, and everything that opens on a page.

Owns: the table of states, and what an installation needs in addition so that each of them exists.
Never: the checks. `tests/browsers/test_access.py` compares the table with the pages that the
application has, so a page without a row here fails.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from server.model.incidents import Incident
from server.protocol.approvals.states import State as Ending
from server.protocol.names import ACR_PASSKEY, name_id
from server.services.approvals.oversight import Oversight
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import PASSWORD, request_of
from tests.support.browsers.chromium import Chromium, stranger
from tests.support.browsers.page_ceremonies import ceremonies
from tests.support.browsers.page_steps import (
    READ,
    State,
    Step,
    click,
    send_command,
    type_text,
    wait_for_text,
    wait_until,
)
from tests.support.builders.installation import PAY, PAY_SCOPES
from tests.support.clients.agent import new_agent
from tests.support.pictures.page_pictures import PreparedServer
from tests.support.pictures.page_table import paths
from tests.support.servers.server import BY

_RETIRED = "https://retired.example"
_STRICTER_POLICY = """[[rules]]
id = "no-payments"
because = "Nothing is paid this week."
outcome = "deny"
when.type = ["payment.*"]
"""
_CASES = """[[cases]]
name = "a small payment"
agent = "invoice-bot"
user = "ada"
expect = "ask"
[[cases.details]]
type = "payment.transfer"
amount = {minor = 4200, currency = "EUR"}
payee = "Nord"
account = "DE89370400440532013000"

[[cases]]
name = "reading without being asked"
agent = "release-helper"
user = "ada"
scope = ["payments:read"]
expect = "allow"
"""
_ALL_UNFOLDED = (
    """[...document.querySelectorAll("main details")].every((each) => (each.open = true))"""
)

_KEEP_OPEN = "(document.getElementById('think').hidden = false, true)"
"""Keeps a message open that disappears after five seconds: a slow machine needs longer."""


def _network(*, offline: bool) -> Step:
    """Take the browser offline, or back online."""
    usual = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    return send_command("Network.emulateNetworkConditions", offline=offline, **usual)


_OFFLINE = (send_command("Network.enable"), _network(offline=True), wait_until("!offline.hidden"))
_ONLINE = (_network(offline=False),)


def table(made: PreparedServer) -> list[State]:
    """Return all states, in an order in which none removes what a later one needs."""
    without_steps = [State(name, path) for name, path in paths(made).items()]
    parts = (
        _ended_pages,
        _guest_pages,
        _user_pages,
        _console_pages,
        _form_pages,
        _app_pages,
        _code_pages,
    )
    expiring = [
        *_request_pages(made),
        *ceremonies(made),
        *(state for state in without_steps if made.asked.id in state.path),
    ]
    lasting = (state for state in without_steps if state not in expiring)
    return [*expiring, *lasting, *(state for part in parts for state in part(made))]


@contextmanager
def guest_of(made: PreparedServer) -> Iterator[Chromium]:
    """Open a browser without cookies, for a user who is not signed in."""
    with stranger(made.tab) as tab:
        tab.add_passkey_holder()
        yield tab


def _guest_pages(made: PreparedServer) -> list[State]:
    """Return states for a signed-out user, then for a new user whose pages are still empty."""
    code = made.server.user("erin")[1]
    nothing = "No requests are waiting."
    empty = {f"empty-{path[1:]}": path for path in ("/history", "/agents", "/grants", "/consents")}
    made_passkey = (click("#make button"), wait_for_text(nothing))
    wrong = (type_text("#code", "WRONG"), click("#make button"), wait_until("!problem.hidden"))
    return [
        State("signed-out", "/", guest=True),
        State("signed-out-request", f"/r/{made.asked.id}", guest=True),
        State("enroll", "/enroll", guest=True),
        State("enroll-refused", "/enroll", wrong, guest=True),
        State("empty-inbox", f"/enroll#{code}", made_passkey, guest=True),
        *(State(name, path, guest=True) for name, path in empty.items()),
        State("forbidden", "/admin/users", guest=True),
        State("nowhere", "/nowhere", guest=True),
        State("wrong-method", "/sign-in", guest=True),
        State("offline-page", "/offline", guest=True),
    ]


def _request_pages(made: PreparedServer) -> list[State]:
    """Return the states that open on the pages of a request."""
    path = f"/r/{made.asked.id}"
    denied = (click("#to-deny"), wait_until("!deny.hidden"))
    compared = (
        type_text('[id="fact.0"]', "100.00"),
        click(".less button"),
        wait_for_text("Approve with limits…"),
    )
    going = (*compared, wait_until(READ), click("#to-approve"))
    refused = (click(".less button"), wait_for_text("Nothing was approved"))
    ahead = (click("[name=seconds]"), type_text("#uses", "5"), click("[value=preview]"))
    steps = (wait_for_text("without asking: "), wait_until(READ))
    covers = wait_for_text("It would have covered")
    armed = wait_until("!document.getElementById('approve-now').disabled")
    with made.server.services.store.read() as view:
        decided = view.approvals.list_decided(made.users["ada"], 200, None)
    expired = next(request.id for request in decided if request.state is Ending.EXPIRED)
    return [
        State("approving", path, (wait_until(READ), click("#to-approve"), armed)),
        State("denying", path, denied),
        State("thinking", path, (*denied, wait_until(_KEEP_OPEN))),
        *(
            State(f"denying-{code}", path, (*denied, click(f"[value={code}]")))
            for code in ("wait_until", "ask_other", "suspicious")
        ),
        State("not-connected", path, _OFFLINE, after=_ONLINE),
        State("expired", f"/r/{expired}"),
        State("comparing", f"{path}/limit", compared),
        State("approving-less", f"{path}/limit", (*going, armed)),
        State("less-refused", f"{path}/limit", (type_text("#seconds", "x"), *refused)),
        State("ahead-refused", f"{path}/similar", (*ahead, wait_for_text("Nothing was approved"))),
        State(
            "ahead-preview", f"/r/{made.done}/similar", (*ahead, covers, wait_until("!over.hidden"))
        ),
        State(
            "ahead-signing",
            f"/r/{made.done}/similar",
            (*ahead, covers, click("[value=open]"), *steps, click("#to-approve"), armed),
        ),
        State("no-such-request", "/r/sayso_ap_aaaaaaaaaaaaaaaa"),
    ]


def _ended_pages(made: PreparedServer) -> list[State]:
    """Return one state for each way a request can end; each has its own request and agent."""
    agent = new_agent(made.server, name="newcomer", owners=("bob",))
    store = made.server.services.store
    for _ in range(4):
        agent.request_approval("ada")
    with store.read() as view:
        approval_ids = [approval.id for approval in view.approvals.open_of_agent(agent.key.id)]
    kept, over, denied, reported = (f"/r/{approval_id}" for approval_id in approval_ids)
    deny = (click("#to-deny"), click("#no [type=submit]"))

    def withdraw(_tab: Chromium) -> None:
        Oversight(store).cancel(approval_ids[1], "No longer needed", by=BY)

    steps_before = (click("#to-deny"), type_text("#note", "Not now"))
    stop = (click("[value=agent]"), click("#report [type=submit]"), wait_until("!told.hidden"))
    return [
        State(
            "passkey-not-used",
            kept,
            (lambda tab: tab.verify(person=False), *deny, wait_for_text("Nothing was sent")),
            after=(lambda tab: tab.verify(person=True),),
        ),
        State("over-meanwhile", over, (*steps_before, withdraw, wait_until("!over.hidden"))),
        State("denied", denied, (*deny, wait_for_text("Denied by"))),
        State("reported", f"{reported}/report", stop),
    ]


def _user_pages(_made: PreparedServer) -> list[State]:
    """Return the states that open on the user's own pages."""
    menu = (click(".unfold summary"), wait_until("document.querySelector('.unfold').open"))
    return [
        State("menu", "/", menu),
        State("menu-of-settings", "/settings", menu),
        State("removing", "/devices", (click("[data-remove]"), wait_until("sure.open"))),
        State("settings-kept", "/settings?done=theme"),
        *(State(f"over-{what}", f"/{what}?ended=true") for what in ("grants", "consents")),
        State(
            "signing", "/devices", (click("#another button"), wait_for_text("Sign with passkey"))
        ),
    ]


def _console_pages(made: PreparedServer) -> list[State]:
    """Return the console pages that `page_table.paths` lacks, and the parts that unfold there."""
    services = made.server.services
    incident = _incident(made)
    with services.store.read() as view:
        app, group = view.apps.all()[0].id, view.groups.all()[0].id
        action = name_id(view.actions.all()[0].type)
        key = view.directory.signing_keys()[0].kid
        chain = view.delegations.of_approval(made.done)
    assert chain is not None
    agent = made.agents[0].key.id
    unfold = wait_until(_ALL_UNFOLDED)
    menu = (click(".fold summary"), wait_until("document.querySelector('.fold').open"))
    paths = {
        "incident": f"/admin/incidents/{incident}",
        "delegation": f"/admin/delegations/{chain.id}",
        "agent-delete": f"/admin/agents/{agent}/delete",
        "app-edit": f"/admin/apps/{app}/edit",
        "app-keys": f"/admin/apps/{app}/keys",
        "app-delete": f"/admin/apps/{app}/delete",
        "group-new": "/admin/new/group",
        "group-delete": f"/admin/groups/{group}/delete",
        "action-new": "/admin/new/action",
        "action-delete": f"/admin/actions/{action}/delete",
        "key-revoke": f"/admin/keys/{key}/revoke",
        "limits": "/admin/limits",
        "overview-unfolded": "/admin",
        "approval-unfolded": f"/admin/approvals/{made.asked.id}",
        "approval-over": f"/admin/approvals/{made.done}",
    }
    return [
        State("console-menu", "/admin", menu),
        State(
            "console-not-connected",
            f"/admin/approvals/{made.asked.id}",
            _OFFLINE,
            after=_ONLINE,
        ),
        *(State(name, path, (unfold,)) for name, path in paths.items()),
    ]


def _form_pages(made: PreparedServer) -> list[State]:
    """Return console forms that were submitted: refused, shown again, or to be signed."""
    agent = f"/admin/agents/{made.agents[0].key.id}"
    tried = (type_text("#try-user", "ada"), click("form[action$=explain] button"))
    mixed = type_text("#name", "\N{CYRILLIC SMALL LETTER O}ps")
    owner = (type_text("#add_owners", "bob"), click("#owners form:last-of-type button"))
    tested = (type_text("#table", _CASES), click("[formaction$=test]"))
    replayed = (type_text("#document", _STRICTER_POLICY), click("#days + button"))
    return [
        State(
            "form-refused",
            "/admin/new/group",
            (mixed, click("main .primary"), wait_for_text("Check this field")),
        ),
        State("explained", agent, (*tried, wait_for_text("would be asked"))),
        State("console-signing", agent, (*owner, wait_for_text("Sign with passkey"))),
        State("policy-tested", "/admin/policy", (*tested, wait_for_text("Some cases failed"))),
        State(
            "policy-replayed",
            "/admin/policy",
            (*replayed, wait_for_text("requests would have a different outcome")),
        ),
    ]


def _app_pages(made: PreparedServer) -> list[State]:
    """Return the pages from an app's sign-in link to its answer, and those of signing out."""
    services = made.server.services
    home, read = (f"{made.server.url}/",), ("payments:read",)
    new = NewApp("chat", home, auth_method="none", resources=(PAY,), scopes=read)
    app = Apps(services.store, services.secrets).add(new, by=BY).app
    Passwords(services.store, services.passwords).set("ada", PASSWORD, by=BY)
    insists = {"id_token": {"acr": {"essential": True, "value": ACR_PASSKEY}}}

    def link(**parameters: object) -> str:
        members = request_of(app.id, redirect_uri=app.redirect_uris[0], **parameters)
        return f"/authorize?{urlencode(members)}"

    def entering(password: str) -> tuple[Step, ...]:
        return (
            type_text("#name", "ada"),
            type_text("#password", password),
            click("#form .primary"),
        )

    power = link(scope="openid profile email payments:read", resource=PAY, prompt="consent")
    code = "/device?user_code=BCDFGHJK"
    posts = link(response_mode="form_post")
    unsent = (
        send_command("Network.enable"),
        send_command("Network.setBlockedURLs", urls=["*/form_post.js"]),
    )
    return [
        State("app-unknown", "/authorize?client_id=nobody"),
        State("sign-in", link(), (wait_for_text("to continue to"),)),
        State("sign-in-refused", link(), (*entering("wrong"), wait_for_text("is wrong"))),
        State(
            "sign-in-passkey",
            link(claims=json.dumps(insists)),
            (wait_for_text("requires a passkey"),),
        ),
        State("consent", link(), (*entering(PASSWORD), wait_for_text("Tell"))),
        State("consent-power", power, (wait_for_text("Allow this for"),)),
        State("waiting", power, (click("[value=allow]"), wait_for_text("Answer on your device"))),
        State(
            "posting",
            posts,
            (*unsent, click("[value=allow]"), wait_for_text("Back to the app")),
            after=(send_command("Network.setBlockedURLs", urls=[]),),
        ),
        State("device-code", code),
        State("device-code-refused", code, (click("button"), wait_for_text("That code is wrong"))),
        State("device-code-sent", "/device/sent"),
        State("signing-out", "/logout"),
        State(
            "signed-out-of-apps", "/logout", (click("button"), wait_for_text("You are signed out"))
        ),
    ]


def _code_pages(made: PreparedServer) -> list[State]:
    """Return the pages that show a secret or code only once."""
    agent = f"/admin/agents/{made.agents[0].key.id}"
    made.server.resources.add(_RETIRED, PAY_SCOPES, {}, by=BY)
    resource = f"/admin/resources/{name_id(_RETIRED)}"
    send, sign = click("main .primary"), click("#sign .primary")
    rotate, delete = click("form[action$=secret] button"), click("main .danger")
    named = type_text("#name", "finn")
    return [
        State(
            "device-code-made",
            "/devices",
            (click("#another button"), sign, wait_for_text("Scan this")),
        ),
        State("secret-told", agent, (rotate, sign, wait_for_text("shown"))),
        State("user-told", "/admin/new/user", (named, send, sign, wait_for_text("Done"))),
        State(
            "invitation-told",
            "/admin/new/invitation",
            (send, sign, wait_for_text("The token is shown")),
        ),
        State("resource-deleted", f"{resource}/delete", (delete, wait_for_text("was deleted"))),
    ]


def _incident(made: PreparedServer) -> str:
    """Store a report for an administrator; return its ID."""
    services, asked = made.server.services, made.asked
    evidence_approval: dict[str, object] = {
        "id": asked.id,
        "kind": "action",
        "state_before": "pending",
        "resource": PAY,
        "scope": "",
    }
    evidence_approval |= {
        "risk": "high",
        "asked_by": {"id": "x", "name": "invoice-bot"},
        "asked_at": 0,
    }
    evidence_approval |= {"action_digest": "A", "display_digest": "A", "fingerprint": "0000-0000"}
    evidence = {"approval": evidence_approval, "agents": [], "signed": "x"}
    incident = Incident(
        id=services.secrets.new_id("sayso_ic_"),
        state="open",
        scope="agent",
        approval_id=asked.id,
        user_id=made.users["ada"],
        device_id="sayso_dv_1",
        note="I did not ask for this",
        evidence=json.dumps(evidence),
        opened_at=made.server.clock.now(),
    )
    with services.store.write() as tx:
        tx.incidents.add(incident)
    return incident.id
