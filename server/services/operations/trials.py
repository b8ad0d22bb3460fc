"""Policy trials: explains one case, or tests a table of cases, without side effects.

Owns: reading cases by name, the token that would be issued, and tables of test cases.
Never: evaluating a case itself; it calls the evaluator that enforcement uses.
"""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias, cast

from server.model.clients import Agent, App
from server.model.consents import Consent
from server.model.policy import PolicyRow
from server.model.policy_rules import PolicyRule
from server.model.standing_grants import StandingGrant
from server.model.store import Store, View
from server.protocol import errors
from server.protocol.approvals import ceremonies
from server.protocol.approvals.unusual import Code
from server.protocol.ciba import requests
from server.protocol.policy import uses
from server.protocol.policy.questions import APP, FAILED_RULE, FLOWS, Question, RequestFlow, Verdict
from server.protocol.resources import scopes, uris
from server.protocol.tokens import tokens
from server.protocol.tokens.tokens import TokenContents
from server.services.approvers import answer_sources
from server.services.approvers.answer_sources import AnswerSources
from server.services.clients import apps, client_names
from server.services.operations.audiences import RequestAudience, audience_of
from server.services.policy import builtin, documents, policies
from server.services.policy.evaluation import Evaluator, PolicyRequest, current_codes, engine_of
from server.services.refusals import ChangeRefused, Invalid
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy
from server.services.standing_grants import uses as standing_uses
from server.services.users import user_checks

_REQUEST_FLOWS: Final = frozenset({"request", APP})
"""The flows that ask a person immediately. In other flows, the agent must send a request."""
NextStep: TypeAlias = Literal["token", "person", "refused"]
"""The result: a token, a question to a person, or a refusal."""

MAX_CASES: Final = 1_000


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """A request to evaluate, with agent and user by name. `details` is JSON text."""

    agent: str
    flow: RequestFlow = "request"
    user: str | None = None
    resource: str | None = None
    scope: tuple[str, ...] = ()
    details: str | None = None
    acr: str | None = None
    """Its `acr_values`, which require the person's own answer and may require their PIN."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The result of a trial, and why."""

    case: PolicyRequest
    verdict: Verdict
    next_step: NextStep
    rules: tuple[PolicyRule, ...]
    """The rules that decided."""
    unusual: tuple[Code, ...]
    """The signals of an unusual request, compared with earlier approvals."""
    consent: bool | None
    """Whether the person has consented; None if that makes no difference."""
    token: Mapping[str, object] | None
    """The token's claims, without those that differ each time; None for apps."""
    seconds: int
    """The lifetime of the token."""
    standing_grant: StandingGrant | None = None
    """The standing grant that would decide it. A trial does not count as a use."""
    audience: RequestAudience | None = None
    """The people it would ask; None if it would ask nobody."""


@dataclass(frozen=True, slots=True)
class PolicyTestResult:
    """One case of a table: its expected and its actual result."""

    name: str
    expected: Mapping[str, object]
    found: Mapping[str, object]
    problem: str = ""
    """Why the case could not be evaluated; "" if there was no problem."""

    @property
    def passed(self) -> bool:
        """Whether the result matches all expected values."""
        return not self.problem and all(
            self.found[member] == value for member, value in self.expected.items()
        )


@dataclass(frozen=True, slots=True)
class TableHistory:
    """The history from a test table, which replaces the agent's own."""

    known: frozenset[str] = frozenset()
    tokens: int = 0
    unusual_codes: frozenset[Code] = frozenset()

    def known_uses(self, uses: Sequence[str]) -> AbstractSet[str]:
        """Return the uses that the table lists as known."""
        return self.known.intersection(uses)

    def count(self, _use: str, _window_ms: int, enough: int) -> int:
        """Return the number of tokens in the table, for every use."""
        return min(enough, self.tokens)

    def unusual(self) -> frozenset[Code]:
        """Return the signals that the table lists."""
        return self.unusual_codes


@dataclass(frozen=True, slots=True)
class Trials:
    """Tries policy without side effects. `rules` is the text of a different rule set to try."""

    store: Store
    server_policy: ServerPolicy
    evaluator: Evaluator

    def explain(self, request: TrialRequest, rules: str | None = None) -> TrialResult:
        """Return a request's outcome and the deciding rules. Raises `NotFound` or `Invalid`."""
        with self.store.read() as view:
            row = trial(view, rules)
            case = self._case(view, request)
            verdict = self._evaluator(rules, row).decide(view, case)
            consent = answer_sources.covering_consent(view, case)
            sources = _answer_sources(view, case, verdict, consent, acr=bool(request.acr))
            next_step = _next_step(case, sources, consent)
            seconds = targets.lifetime(
                case.agent if isinstance(case.agent, Agent) else None,
                case.target.resource,
                self.server_policy.access_token_seconds,
            )
            return TrialResult(
                case,
                verdict,
                next_step,
                _cited_rules(row, verdict),
                tuple(sorted(current_codes(view, self.evaluator.secrets, case))),
                None if request.acr or not _consent_matters(case, verdict) else consent is not None,
                None if next_step == "refused" or case.flow == APP else self._claims(case),
                seconds,
                sources.covering_grants[0].grant if sources.covering_grants else None,
                _audience(view, case, sources, next_step),
            )

    def test(self, table: str, rules: str | None = None) -> list[PolicyTestResult]:
        """Test the cases of a TOML table against the rules. Raises `Invalid`."""
        cases = _read_cases(table)
        with self.store.read() as view:
            evaluator = self._evaluator(rules, trial(view, rules))
            return [self._run_case(view, evaluator, raw, n) for n, raw in enumerate(cases, 1)]

    def _evaluator(self, rules: str | None, row: PolicyRow) -> Evaluator:
        evaluator = self.evaluator
        return evaluator if rules is None else replace(evaluator, engine_override=engine_of(row))

    def _case(self, view: View, trial: TrialRequest) -> PolicyRequest:
        if trial.flow not in FLOWS:
            raise Invalid(f"Unknown flow {trial.flow[:40]}. Use one of: {', '.join(FLOWS)}.")
        find = apps.find if trial.flow == APP else client_names.find_agent
        agent: Agent | App = find(view, trial.agent)
        user = None if trial.user is None else user_checks.find(view, trial.user)
        is_for_itself = trial.flow == "client_credentials"
        if is_for_itself and (user is not None or trial.details is not None):
            raise Invalid("An agent with client_credentials has no user and no details.")
        if trial.flow == "exchange" and user is None:
            raise Invalid("An exchange needs a user.", member="user")
        if trial.acr and trial.flow != "request":
            raise Invalid("`acr` is only for requests at /bc-authorize.", member="acr")
        try:
            details = requests.read_details(trial.details)
            target = self._target(view, agent, trial, has_details=details != ())
            actions = self.evaluator.schemas.check(view.directory, details, agent.action_types)
            targets.check_required_types(target, frozenset(action.type for action in actions))
        except errors.ProtocolError as error:
            raise Invalid(f"{error.code}: {error.description}") from error
        pin = requests.wants_pin(trial.acr or "")
        return PolicyRequest(trial.flow, agent, user, target, details, actions, wants_pin=pin)

    def _target(
        self, view: View, agent: Agent | App, trial: TrialRequest, *, has_details: bool
    ) -> TokenTarget:
        """Return the request's target; `/userinfo` if an agent requests only OpenID scopes."""
        openid, scope = scopes.split(tuple(sorted(set(trial.scope))))
        audience = self.server_policy.userinfo_audience
        is_openid_only = bool(openid) and not scope and not has_details
        is_about_person = is_openid_only and uris.may_name(trial.resource, audience)
        if trial.flow == "request" and is_about_person:
            return targets.about_person(audience, openid)
        return targets.resolve(view.directory, agent, trial.resource, scope)

    def _claims(self, case: PolicyRequest) -> Mapping[str, object]:
        issue = TokenContents(
            issuer=self.server_policy.issuer,
            token_id="",
            agent=case.agent.id,
            user=None if case.user is None else case.user.id,
            resource=case.target.resource.uri,
            scope=scopes.text(case.target.scope),
            details=case.details,
            issued_at=0,
            expires_at=0,
        )
        claims = tokens.access_token_claims(issue)
        return {name: claims[name] for name in claims if name not in {"jti", "iat", "exp"}}

    def _run_case(
        self, view: View, evaluator: Evaluator, raw: Mapping[str, object], number: int
    ) -> PolicyTestResult:
        name, expected = str(raw.get("name", f"case {number}")), _read_expected(raw, number)
        trial, at = _trial_request(raw, number), _read_time(raw, number)
        try:
            case = self._case(view, trial)
        except ChangeRefused as error:
            return PolicyTestResult(name, expected, {}, str(error))
        history = _read_history(raw, evaluator.question(view, case, at), number)
        verdict = evaluator.decide(view, case, at, history)
        needs = verdict.requirements
        actual = {
            "expect": verdict.outcome,
            "rules": list(verdict.rules),
            "risk": str(verdict.risk),
            "ceremony": None if needs is None else ceremonies.ceremony_text(needs.ceremony),
        }
        return PolicyTestResult(name, expected, actual)


def trial(view: View, rules: str | None) -> PolicyRow:
    """Return the rule set to try: `rules`, or the current one. Raises `InvalidPolicy`."""
    current = policies.current_policy(view)
    if rules is None:
        return current
    return builtin.bind_names(view, rules, version=current.version + 1, by="trial")


def _consent_matters(case: PolicyRequest, verdict: Verdict) -> bool:
    """Return whether the person's consent makes a difference."""
    return case.flow == "exchange" or (case.flow == "request" and verdict.outcome == "allow")


def _answer_sources(
    view: View, case: PolicyRequest, verdict: Verdict, consent: Consent | None, *, acr: bool
) -> AnswerSources:
    """Return what would decide the request. Grants do not decide exchanges without a consent."""
    if case.flow in _REQUEST_FLOWS:
        return answer_sources.find_answer_sources(view, case, verdict, requires_person=acr)
    no_consent = case.flow == "exchange" and consent is None and case.target.scope
    covering_grants = (
        ()
        if no_consent or verdict.outcome != "ask"
        else standing_uses.covering_grants(view, case, verdict)
    )
    eligible_approvers = answer_sources.eligible_for_verdict(view, case, verdict)
    return AnswerSources(verdict, eligible_approvers, covering_grants=tuple(covering_grants))


def _next_step(case: PolicyRequest, sources: AnswerSources, consent: Consent | None) -> NextStep:
    if not sources.needs_person:
        return "token"
    if case.flow in _REQUEST_FLOWS:
        return "refused" if sources.is_ruled_out else "person"
    if sources.verdict.outcome == "deny":
        return "refused"
    no_consent = case.flow == "exchange" and consent is None
    return "person" if no_consent or sources.verdict.outcome == "ask" else "token"


def _audience(
    view: View, case: PolicyRequest, sources: AnswerSources, next_step: NextStep
) -> RequestAudience | None:
    needs = sources.verdict.requirements
    if needs is None or next_step != "person":
        return None
    return audience_of(view, case, needs, sources.people)


def _cited_rules(row: PolicyRow, verdict: Verdict) -> tuple[PolicyRule, ...]:
    if not set(verdict.rules) - {FAILED_RULE}:
        return ()
    return tuple(r for r in documents.parse_policy(row.document).rules if r.id in verdict.rules)


_MEMBERS: Final = frozenset(
    {"name", "agent", "flow", "user", "resource", "scope", "details", "at", "history"}
)
_EXPECTED: Final = frozenset({"expect", "rules", "risk", "ceremony"})


def _read_cases(table: str) -> list[Mapping[str, object]]:
    members = documents.read_toml(table)
    cases = members.get("cases")
    if set(members) != {"cases"} or not isinstance(cases, list) or not cases:
        raise Invalid("The file must contain only [[cases]] tables, at least one.")
    if len(cases) > MAX_CASES:
        raise Invalid(f"The file may have at most {MAX_CASES} cases.")
    for number, case in enumerate(cases, 1):
        if not isinstance(case, dict):
            raise Invalid(f"case {number}: must be a table.")
        for name in sorted(set(case) - _MEMBERS - _EXPECTED):
            raise Invalid(f"case {number}: unknown member {name}.")
    return cases


def _read_expected(raw: Mapping[str, object], number: int) -> dict[str, object]:
    if raw.get("expect") not in ("allow", "ask", "deny"):
        raise Invalid(f"case {number}: expect must be allow, ask or deny.")
    return {name: raw[name] for name in sorted(_EXPECTED & set(raw))}


def _trial_request(raw: Mapping[str, object], number: int) -> TrialRequest:
    agent = _read_text(raw, "agent", number)
    if agent is None:
        raise Invalid(f"case {number}: agent is missing.")
    details = raw.get("details")
    try:
        text = None if details is None else json.dumps(details)
    except TypeError:
        raise Invalid(f"case {number}: details must be JSON values. Quote dates.") from None
    return TrialRequest(
        agent=agent,
        flow=cast("RequestFlow", _read_text(raw, "flow", number) or "request"),
        user=_read_text(raw, "user", number),
        resource=_read_text(raw, "resource", number),
        scope=tuple(_read_texts(raw.get("scope", []), "scope", number)),
        details=text,
    )


def _read_text(raw: Mapping[str, object], name: str, number: int) -> str | None:
    value = raw.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(f"case {number}: {name} must be a string.")
    return value


def _read_texts(value: object, name: str, number: int) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Invalid(f"case {number}: {name} must be a list of strings.")
    return value


def _read_time(raw: Mapping[str, object], number: int) -> int | None:
    at = raw.get("at")
    if at is None:
        return None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise Invalid(f"case {number}: at must be a time with a zone: 2026-11-26T12:00:00Z.")
    return int(at.timestamp() * 1000)


def _read_history(raw: Mapping[str, object], question: Question, number: int) -> TableHistory:
    history = raw.get("history", {})
    if not isinstance(history, dict) or set(history) - {"known", "tokens", "unusual"}:
        raise Invalid(f"case {number}: history may have only `known`, `tokens` and `unusual`.")
    count = history.get("tokens", 0)
    if isinstance(count, bool) or not isinstance(count, int):
        raise Invalid(f"case {number}: tokens must be a number.")
    known_uses: list[str] = []
    for target in _read_texts(history.get("known", []), "known", number):
        if target == "resource":
            known_uses.append(uses.of_resource(question.resource))
        elif target == "scope":
            known_uses += [uses.of_scope(question.resource, name) for name in question.scopes]
        else:
            known_uses += question.values(target)
    return TableHistory(
        frozenset(known_uses), count, _read_unusual(history.get("unusual", []), number)
    )


def _read_unusual(value: object, number: int) -> frozenset[Code]:
    try:
        return frozenset(map(Code, _read_texts(value, "unusual", number)))
    except ValueError:
        known = ", ".join(Code)
        raise Invalid(f"case {number}: unusual may have only {known}.") from None
