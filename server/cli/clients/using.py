"""The lines that a fresh agent is used with: its secret, once, and the requests that work now."""

from dataclasses import dataclass
from shlex import quote

from server.cli.clients.agent_document import called_by_id
from server.cli.opening import OpenInstallation
from server.model.clients import Agent
from server.protocol import names
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from server.services.clients.agents import NewSecret

_TOKEN = "A-NEW-TOKEN-OF-22-CHARACTERS-OR-MORE"  # noqa: S105  # a placeholder


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the printed requests ask for: one scope, and the details that it needs."""

    scope: str
    action: str | None
    """The type of action without which the scope is not given."""

    @property
    def details(self) -> dict[str, str]:
        """The parameter, with a place for what only the agent knows."""
        if self.action is None:
            return {}
        return {"authorization_details": f'[{{"type":"{self.action}", …}}]'}

    @property
    def remark(self) -> list[str]:
        """How the place is filled in."""
        if self.action is None:
            return []
        return [
            f"Fill in what it wants to do; the members are in: sayso actions show {self.action}"
        ]


def usage_lines(admin: OpenInstallation, given: NewSecret) -> list[str]:
    """The secret, shown here and never again, and the commands that use it."""
    agent = given.agent
    lines = []
    if given.secret:
        lines = ["Its secret is shown once. Keep it where the agent reads it:", ""]
        lines += [f"  SECRET={given.secret}", ""]
    if not agent.scopes:
        update = f"sayso agents update {quote(agent.name)} --resource URI --scope NAME"
        return [*lines, "It may ask for nothing yet. Give it a ceiling:", f"  {update}"]
    wish = _wish(admin, agent)
    used = [*_own_lines(admin, agent, wish), *_exchange_lines(admin, agent, wish)]
    return [*lines, *used, *(wish.remark if used else [])]


def _wish(admin: OpenInstallation, agent: Agent) -> _Wish:
    """The first scope that takes no details; else the first, with the type that it needs."""
    found = [r for r in admin.resources.all() if r.uri in agent.resources]
    needs = {scope: kind for resource in found for scope, kind in resource.requires.items()}
    scope = next((name for name in agent.scopes if name not in needs), agent.scopes[0])
    return _Wish(scope, needs.get(scope))


def _own_lines(admin: OpenInstallation, agent: Agent, wish: _Wish) -> list[str]:
    """How it gets a token that begins with itself."""
    if names.GRANT_CIBA in agent.grant_types and agent.delivery == "push":
        return ["It asks a person, and is sent the answer:", f"  {_ask(admin, agent, wish)}"]
    if names.GRANT_CIBA in agent.grant_types:
        return [
            "It asks a person, and then waits for the answer:",
            f"  {_ask(admin, agent, wish)}",
            f"  {_fetch(admin, agent)}",
        ]
    if names.GRANT_CLIENT_CREDENTIALS in agent.grant_types:
        return ["It gets a token for itself with:", f"  {_for_itself(admin, agent, wish)}"]
    return []


def _exchange_lines(admin: OpenInstallation, agent: Agent, wish: _Wish) -> list[str]:
    """How it acts for the person of a token that arrives; unsaid where none does by itself."""
    only_way = agent.grant_types == (names.GRANT_TOKEN_EXCHANGE,)
    if names.GRANT_TOKEN_EXCHANGE not in agent.grant_types or not (agent.serves or only_way):
        return []
    which = f"arrives at {agent.serves[0]}" if agent.serves else "names it in may_act"
    title = f"It acts for the person of a token that {which} with:"
    return [title, f"  {_exchange(admin, agent, wish)}"]


def _ask(admin: OpenInstallation, agent: Agent, wish: _Wish) -> str:
    whom = agent.owners if agent.asks is None else agent.asks
    hint = called_by_id(admin).get(whom[0], "USER") if whom else "USER"
    return _curl(
        admin,
        agent,
        "bc-authorize",
        {
            "scope": f"openid {wish.scope}",
            **_resource(agent),
            **wish.details,
            "login_hint": hint,
            **({} if agent.delivery == "poll" else {"client_notification_token": _TOKEN}),
            **({"user_code": "CODE"} if agent.takes_user_code else {}),
        },
    )


def _fetch(admin: OpenInstallation, agent: Agent) -> str:
    form = {"grant_type": names.GRANT_CIBA, "auth_req_id": "AUTH_REQ_ID"}
    return _curl(admin, agent, "token", form, header="-H 'Prefer: wait=50' ")


def _for_itself(admin: OpenInstallation, agent: Agent, wish: _Wish) -> str:
    form = {"grant_type": names.GRANT_CLIENT_CREDENTIALS, "scope": wish.scope}
    return _curl(admin, agent, "token", {**form, **_resource(agent), **wish.details})


def _exchange(admin: OpenInstallation, agent: Agent, wish: _Wish) -> str:
    form = {
        "grant_type": names.GRANT_TOKEN_EXCHANGE,
        "subject_token_type": ACCESS_TOKEN,
        **_resource(agent),
        "scope": wish.scope,
        **wish.details,
    }
    return _curl(admin, agent, "token", form, header='--data-urlencode "subject_token=$TOKEN" ')


def _resource(agent: Agent) -> dict[str, str]:
    return {"resource": agent.resources[0]} if len(agent.resources) == 1 else {}


def _curl(
    admin: OpenInstallation, agent: Agent, path: str, form: dict[str, str], *, header: str = ""
) -> str:
    fields = " ".join(f"--data-urlencode {quote(f'{name}={form[name]}')}" for name in form)
    return f"curl {_credentials(agent)} {header}{fields} {quote(f'{admin.issuer}/{path}')}"


def _credentials(agent: Agent) -> str:
    if agent.auth_method == "client_secret_basic":
        return f'-u "{agent.id}:$SECRET"'
    if agent.auth_method == "client_secret_post":
        return f'-d client_id={agent.id} --data-urlencode "client_secret=$SECRET"'
    return f'-d client_assertion_type={names.ASSERTION_TYPE} -d "client_assertion=$ASSERTION"'
