"""The usage lines of a new agent: its secret, and `curl` commands that work immediately."""

import json
from shlex import quote

from server.cli.opening import OpenInstallation
from server.model.clients import Agent
from server.protocol import names
from server.protocol.resources.scopes import OPENID
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from server.services.clients.agents import NewSecret
from server.services.clients.sample_requests import IDENTITY, SampleRequest

_TOKEN = "A-NEW-TOKEN-OF-22-CHARACTERS-OR-MORE"  # noqa: S105  # a placeholder


def usage_lines(admin: OpenInstallation, secret: NewSecret) -> list[str]:
    """Return the secret, which is shown once, and the commands that use it."""
    agent = secret.agent
    lines = []
    if secret.secret:
        lines = ["The secret is shown only once. Store it where the agent reads it:", ""]
        lines += [f"  SECRET={secret.secret}", ""]
    if not agent.scopes:
        return [*lines, *_permission_lines(admin, agent)]
    sample = admin.samples.for_agent(agent)
    return [*lines, *_token_lines(admin, agent, sample), *_exchange_lines(admin, agent, sample)]


def _permission_lines(admin: OpenInstallation, agent: Agent) -> list[str]:
    """How to give scopes to an agent without any, and what it can ask until then."""
    resource = quote(agent.resources[0]) if agent.resources else "URI"
    update = f"  sayso agents update {quote(agent.name)} --resource {resource} --scope NAME"
    if agent.resources:
        return ["It can request actions, but has no scopes yet. To add one:", update]
    lines = []
    if names.GRANT_CIBA in agent.grant_types:
        lines = [*_token_lines(admin, agent, IDENTITY), ""]
    return [
        *lines,
        "It has no permissions yet. Register an API, then give the agent one of its scopes:",
        "  sayso resources add URI --scope NAME",
        update,
    ]


def _token_lines(admin: OpenInstallation, agent: Agent, sample: SampleRequest) -> list[str]:
    """Commands that get a token without another token."""
    if names.GRANT_CIBA in agent.grant_types and agent.delivery == "push":
        return [
            "Ask a person; the answer is pushed to the agent:",
            f"  {_ask(admin, agent, sample)}",
        ]
    if names.GRANT_CIBA in agent.grant_types:
        return [
            "Ask a person, then wait for the answer. The first command prints AUTH_REQ_ID:",
            f"  {_ask(admin, agent, sample)}",
            f"  {_fetch(admin, agent)}",
        ]
    if names.GRANT_CLIENT_CREDENTIALS in agent.grant_types:
        return ["Get a token for the agent itself:", f"  {_client_token(admin, agent, sample)}"]
    return []


def _exchange_lines(admin: OpenInstallation, agent: Agent, sample: SampleRequest) -> list[str]:
    """The exchange command; nothing if no person's token can reach the agent."""
    only_exchanges = agent.grant_types == (names.GRANT_TOKEN_EXCHANGE,)
    if names.GRANT_TOKEN_EXCHANGE not in agent.grant_types or not (agent.serves or only_exchanges):
        return []
    condition = f"arrives at {agent.serves[0]}" if agent.serves else "names it in may_act"
    title = f"Exchange a person's token that {condition}:"
    return [title, f"  {_exchange(admin, agent, sample)}"]


def _ask(admin: OpenInstallation, agent: Agent, sample: SampleRequest) -> str:
    if agent.request_alg:
        return _curl(admin, agent, "bc-authorize", {"request": "SIGNED_REQUEST"})
    return _curl(
        admin,
        agent,
        "bc-authorize",
        {
            "scope": " ".join(dict.fromkeys((OPENID, sample.scope))),
            **_resource(sample),
            **_details(sample),
            "login_hint": admin.samples.user(agent),
            **({} if agent.delivery == "poll" else {"client_notification_token": _TOKEN}),
            **({"user_code": "CODE"} if agent.takes_user_code else {}),
        },
    )


def _fetch(admin: OpenInstallation, agent: Agent) -> str:
    form = {"grant_type": names.GRANT_CIBA, "auth_req_id": "AUTH_REQ_ID"}
    return _curl(admin, agent, "token", form, header="-H 'Prefer: wait=50' ")


def _client_token(admin: OpenInstallation, agent: Agent, sample: SampleRequest) -> str:
    form = {"grant_type": names.GRANT_CLIENT_CREDENTIALS, "scope": sample.scope}
    return _curl(admin, agent, "token", {**form, **_resource(sample), **_details(sample)})


def _exchange(admin: OpenInstallation, agent: Agent, sample: SampleRequest) -> str:
    form = {
        "grant_type": names.GRANT_TOKEN_EXCHANGE,
        "subject_token_type": ACCESS_TOKEN,
        **_resource(sample),
        "scope": sample.scope,
        **_details(sample),
    }
    return _curl(admin, agent, "token", form, header='--data-urlencode "subject_token=$TOKEN" ')


def _resource(sample: SampleRequest) -> dict[str, str]:
    return {"resource": sample.resource} if sample.resource else {}


def _details(sample: SampleRequest) -> dict[str, str]:
    return {"authorization_details": json.dumps(sample.details)} if sample.details else {}


def _curl(
    admin: OpenInstallation, agent: Agent, path: str, form: dict[str, str], *, header: str = ""
) -> str:
    fields = " ".join(f"--data-urlencode {quote(f'{name}={form[name]}')}" for name in form)
    proof = '-H "DPoP: $PROOF" ' if agent.dpop_bound and path == "token" else ""
    return f"curl {_credentials(agent)} {proof}{header}{fields} {quote(f'{admin.issuer}/{path}')}"


def _credentials(agent: Agent) -> str:
    if agent.auth_method == "client_secret_basic":
        return f'-u "{agent.id}:$SECRET"'
    if agent.auth_method == "client_secret_post":
        return f'-d client_id={agent.id} --data-urlencode "client_secret=$SECRET"'
    return f'-d client_assertion_type={names.ASSERTION_TYPE} -d "client_assertion=$ASSERTION"'
