"""Approval history: compared with new requests, and extended by each approval.

A request looks up only the rows for its keys, so the cost does not grow with history. What an
approval adds is computed when the request is created, so that later changes of the action type do
not matter. Requests are also counted, but only for bursts and split amounts. Only approval makes
a value known. Never: deciding what is unusual (`protocol/approvals/unusual.py`).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from server.model.approvals import Approval
from server.model.history import Addition, HistoryRow
from server.model.ports import Secrets
from server.model.store import Unit, View
from server.protocol.approvals import unusual
from server.protocol.approvals.comparisons import (
    NO_PAST_APPROVALS,
    Amount,
    AnswerHours,
    Baseline,
    Comparison,
    NamedTarget,
    PastApprovals,
    RequestingAgent,
    SameDay,
    TextValue,
)
from server.protocol.approvals.unusual import Code, Unusual
from server.services.policy import history_keys
from server.services.policy.history_keys import (
    MAX_TARGETS,
    NAME_MARK_PREFIX,
    AmountKeys,
    HistoryKeys,
    PartKeys,
    RequestToCompare,
    TargetKeys,
)

RowsByKey: TypeAlias = Mapping[str, HistoryRow]

INSTALLATION: Final = "installation"
"""The owner of rows about all approvals in the installation."""

_ANSWERS: Final = "answers"
_HOURS: Final = 24
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """The result of comparing a request, and the keys that it adds to history."""

    unusual: Unusual
    compared_request: RequestToCompare
    keys: HistoryKeys

    @property
    def text(self) -> str:
        """The JSON to store with the approval: signals, and what asking and approving add."""
        return _stored_json(self.unusual.codes, self.compared_request, self.keys)


def compare(
    view: View, secrets: Secrets, compared_request: RequestToCompare, *, asked_at: int | None = None
) -> ComparisonResult:
    """Compare a request with earlier approvals.

    `asked_at` is the time of an existing request, which the counters already include.
    """
    keys = history_keys.keys_of(secrets, compared_request)
    comparer = _Comparer(view, secrets, compared_request, keys, asked_at)
    return ComparisonResult(unusual.find_signals(comparer.comparison()), compared_request, keys)


def narrowed_past(secrets: Secrets, approval: Approval, compared_request: RequestToCompare) -> str:
    """Return the JSON to store with a narrowed request: approving adds only the granted values."""
    keys = history_keys.keys_of(secrets, compared_request)
    return _stored_json(json.loads(approval.past).get("codes", []), compared_request, keys)


def count_request(tx: Unit, approval: Approval) -> None:
    """Count a new request: in its hour, and on its day by target and amount."""
    stored, agent = json.loads(approval.past), approval.agent_id
    days = sorted(stored["asks"].items())
    day = [Addition(agent, key, amount) for key, amount in days]
    tx.history.add(day, tx.now // _DAY_MS, tx.now)
    tx.history.add([Addition(agent, stored["hour"])], tx.now // _HOUR_MS, tx.now)


def add_answer(tx: Unit, approval: Approval, *, approved: bool) -> None:
    """Add the hour of an answer and, if it approves the request, the approved values.

    Rows are sorted by key, so that concurrent units of work cannot deadlock.
    """
    if approval.kind != "action" or approval.user_id is None:
        return
    stored = json.loads(approval.past).get("adds", ()) if approved else ()
    additions = [
        Addition(owner, key, amount, tuple(members)) for owner, key, amount, members in stored
    ]
    hour = _hour(tx.now)
    near = [_near_key(hour - 1), _near_key(hour), _near_key(hour + 1)]
    additions += [Addition(approval.user_id, key) for key in (_ANSWERS, *near)]
    additions.sort(key=lambda addition: (addition.owner, addition.key))
    tx.history.add(additions, tx.now // _DAY_MS, tx.now)


def stored_codes(past: str) -> frozenset[Code]:
    """Return the signals that were stored with a request when it was created."""
    return frozenset(map(Code, json.loads(past).get("codes", ())))


@dataclass(frozen=True, slots=True)
class _Comparer:
    """Compares one request with its rows."""

    view: View
    secrets: Secrets
    compared_request: RequestToCompare
    keys: HistoryKeys
    asked_at: int | None

    def comparison(self) -> Comparison:
        """Return the input for all signals."""
        rows = self._load_rows()
        asker = self._requesting_agent(rows)
        return Comparison(
            asker=asker,
            comparable=_fewest_approvals(rows, self.keys.kinds),
            targets=tuple(self._named_target(target, rows) for target in self.keys.targets),
            amounts=tuple(self._amount(amount, rows) for amount in self.keys.amounts),
            same_day=tuple(self._same_days(rows)),
            values=tuple(self._values(rows)),
            hours=self._hours(rows),
        )

    @property
    def _at(self) -> int:
        return self.view.now if self.asked_at is None else self.asked_at

    @property
    def _day(self) -> int:
        return self._at // _DAY_MS

    def _load_rows(self) -> RowsByKey:
        """Return the approver's rows; where they do not suffice, also the installation's rows."""
        own_rows = self.view.history.fetch(list(self._approver_keys()))
        more_keys = list(self._installation_keys(own_rows))
        return {**own_rows, **self.view.history.fetch(more_keys)} if more_keys else own_rows

    def _approver_keys(self) -> Iterator[tuple[str, str]]:
        agent, user, keys = self.compared_request.agent.id, self.compared_request.user.id, self.keys
        yield from ((agent, key) for key in (keys.agent, *keys.kinds))
        yield from ((agent, key) for key in (keys.asked_day, keys.asked_hour))
        yield from ((user, key) for key in (_ANSWERS, _near_key(_hour(self._at))))
        yield from ((agent, amount.agent) for amount in keys.amounts)
        for part in self.keys.parts:
            yield user, part.person
            yield agent, part.asked
        for target in keys.targets[:MAX_TARGETS]:
            yield user, target.person
            if target.name is not None:
                yield user, target.name.person
        yield from ((user, text.key) for text in keys.texts)

    def _installation_keys(self, own_rows: RowsByKey) -> Iterator[tuple[str, str]]:
        agent, user, keys = self.compared_request.agent.id, self.compared_request.user.id, self.keys
        row = own_rows.get(keys.agent)
        if row is None or keys.name.mark not in row.members:
            yield user, keys.name.key
        for amount in keys.amounts:
            if amount.agent not in own_rows or own_rows[amount.agent].count < unusual.MIN_AMOUNTS:
                yield user, amount.person
                yield agent, amount.everybody
        for target in keys.targets[:MAX_TARGETS]:
            if target.name is not None and target.person not in own_rows:
                yield INSTALLATION, target.everybody
            if target.name is not None and target.name.person not in own_rows:
                yield INSTALLATION, target.name.everybody

    def _requesting_agent(self, rows: RowsByKey) -> RequestingAgent:
        keys = self.keys
        past = _past(rows, keys.agent)
        return RequestingAgent(
            name=self.compared_request.agent.name,
            mark=keys.name.mark,
            formerly=self._former_name(past),
            keys=keys.credentials,
            past=past,
            before=_before(rows.get(keys.agent), self._day),
            types=keys.types,
            scopes=keys.scopes,
            resource=keys.resource,
            this_hour=self._count_asked(rows, keys.asked_hour, _HOUR_MS)[0],
            today=self._count_asked(rows, keys.asked_day, _DAY_MS)[0],
        )

    def _former_name(self, past: PastApprovals) -> tuple[str, int] | None:
        """Return the agent's name that this person last approved, if the current one is new."""
        if past.count == 0 or self.keys.name.mark in past.members:
            return None
        user = self.compared_request.user.id
        for name in self.view.names.former(self.compared_request.agent.id):
            if history_keys.name_mark(self.secrets, user, name.name) in past.members:
                return name.name, name.until
        return None

    def _count_asked(self, rows: RowsByKey, key: str, length: int) -> tuple[int, int]:
        """Return the number of requests in this period, including this one, and their total."""
        row, is_new = rows.get(key), self.asked_at is None
        if row is None or row.period != self._at // length:
            return 1 if is_new else 0, 0
        return row.period_count + is_new, row.period_total

    def _named_target(self, target_keys: TargetKeys, rows: RowsByKey) -> NamedTarget:
        past = _past(rows, target_keys.person)
        is_known = self.keys.agent_mark in past.members
        if target_keys.name is None:
            return NamedTarget(target_keys.location, target_keys.mark, is_known)
        target_history = past if past.count else _past(rows, target_keys.everybody)
        name_history = _past(rows, target_keys.name.person)
        targets = name_history if name_history.count else _past(rows, target_keys.name.everybody)
        return NamedTarget(
            target_keys.location,
            target_keys.mark,
            is_known,
            target_keys.name.location,
            target_keys.name.mark,
            frozenset(
                member for member in target_history.members if member.startswith(NAME_MARK_PREFIX)
            ),
            targets.members,
        )

    def _amount(self, amount_keys: AmountKeys, rows: RowsByKey) -> Amount:
        kind_history = _past(rows, amount_keys.kind)
        parts = [
            part_keys
            for part_keys in self.keys.parts
            if part_keys.amount.agent == amount_keys.agent
        ]
        target_part = (
            parts[0] if len(parts) == 1 and parts[0].amount.value == amount_keys.value else None
        )
        return Amount(
            amount_keys.location,
            amount_keys.value,
            amount_keys.currency,
            tuple(self._baselines(amount_keys, target_part, lambda key: _past(rows, key))),
            bool(kind_history.count)
            and amount_keys.currency is not None
            and amount_keys.mark not in kind_history.members,
        )

    def _same_days(self, rows: RowsByKey) -> Iterator[SameDay]:
        for part in self.keys.parts:
            count, total = self._count_asked(rows, part.asked, _DAY_MS)
            if count >= unusual.MIN_SPLIT:
                value = total + (part.amount.value if self.asked_at is None else 0)
                yield SameDay(self._sum(part, value, rows), count, part.target)

    def _sum(self, part_keys: PartKeys, value: int, rows: RowsByKey) -> Amount:
        """Return the total for one target on one day, with the baselines before that day."""

        def before(key: str) -> PastApprovals:
            past = _before(rows.get(key), self._day)
            return _per_day(past) if key == part_keys.person else past

        amount = part_keys.amount
        baselines = tuple(self._baselines(amount, part_keys, before))
        return Amount(amount.location, value, amount.currency, baselines)

    def _baselines(
        self, amount_keys: AmountKeys, to: PartKeys | None, past: Callable[[str], PastApprovals]
    ) -> Iterator[Baseline]:
        """Yield the history to compare an amount with, closest first."""
        name = self.compared_request.agent.name
        if to is not None and (before := past(to.person)).count:
            yield Baseline(before, "for this “{}”", to.target)
        if (before := past(amount_keys.agent)).count:
            yield Baseline(before, "for {}", name)
        if (before := past(amount_keys.person)).count:
            yield Baseline(before, "approved by you")
        if (before := past(amount_keys.everybody)).count:
            yield Baseline(before, "approved by others for {}", name)

    def _values(self, rows: RowsByKey) -> Iterator[TextValue]:
        for key in (self.keys.name, *self.keys.texts):
            if key.key in rows:
                yield TextValue(key.location, key.mark, rows[key.key].members)
        yield from (
            TextValue(location, "", mixes_scripts=True) for location in self.keys.mixed_scripts
        )

    def _hours(self, rows: RowsByKey) -> AnswerHours:
        hour = _hour(self._at)
        near = _past(rows, _near_key(hour)).count
        return AnswerHours(hour, _past(rows, _ANSWERS).count, near)


def _past(rows: RowsByKey, key: str) -> PastApprovals:
    row = rows.get(key)
    if row is None:
        return NO_PAST_APPROVALS
    return PastApprovals(row.count, row.total, row.most, row.since, row.periods, row.members)


def _before(row: HistoryRow | None, day: int) -> PastApprovals:
    """Return the history before this day. Its maximum is unknown, so the mean replaces it."""
    if row is None:
        return NO_PAST_APPROVALS
    today = row.period == day
    number, total = row.count - row.period_count * today, row.total - row.period_total * today
    if number < 1:
        return NO_PAST_APPROVALS
    return PastApprovals(number, total, -(-total // number), row.since, max(1, row.periods - today))


def _per_day(past: PastApprovals) -> PastApprovals:
    """Return the same history with the total of each day as one amount."""
    return replace(past, count=past.days, most=-(-past.total // past.days)) if past.days else past


def _fewest_approvals(rows: RowsByKey, kinds: Sequence[str]) -> PastApprovals:
    """Return the history of the action type with the fewest approvals."""
    return min((_past(rows, key) for key in kinds), key=lambda past: past.count)


def _additions(compared_request: RequestToCompare, keys: HistoryKeys) -> Iterator[Addition]:
    """Yield the entries that approving adds to history."""
    agent, user = compared_request.agent.id, compared_request.user.id
    marks = (keys.name.mark, *keys.credentials, *keys.types, *keys.scopes, *keys.resource)
    yield Addition(agent, keys.agent, 0, marks)
    for kind in keys.kinds:
        units = tuple(amount.mark for amount in keys.amounts if amount.kind == kind)
        yield Addition(agent, kind, 0, units)
    for amount in keys.amounts:
        yield Addition(agent, amount.agent, amount.value)
        yield Addition(user, amount.person, amount.value)
        yield Addition(agent, amount.everybody, amount.value)
    for part in keys.parts:
        yield Addition(user, part.person, part.amount.value)
    for target in keys.targets[:MAX_TARGETS]:
        yield from _target_additions(target, user, keys.agent_mark)
    for text in (keys.name, *keys.texts):
        yield Addition(user, text.key, 0, (text.mark,))


def _target_additions(target: TargetKeys, user: str, agent_mark: str) -> Iterator[Addition]:
    name = target.name
    if name is None:
        yield Addition(user, target.person, 0, (agent_mark,))
        return
    yield Addition(user, target.person, 0, (agent_mark, name.mark))
    yield Addition(INSTALLATION, target.everybody, 0, (name.mark,))
    yield Addition(user, name.person, 0, (target.mark,))
    yield Addition(INSTALLATION, name.everybody, 0, (target.mark,))


def _stored_json(
    codes: Iterable[str], compared_request: RequestToCompare, keys: HistoryKeys
) -> str:
    rows: dict[tuple[str, str], tuple[int, dict[str, None]]] = {}
    for addition in _additions(compared_request, keys):
        amount, members = rows.get((addition.owner, addition.key), (0, {}))
        rows[addition.owner, addition.key] = (
            amount + addition.amount,
            members | dict.fromkeys(addition.members),
        )
    adds = [[*key, amount, list(members)] for key, (amount, members) in rows.items()]
    asks = {part.asked: part.amount.value for part in keys.parts}
    stored = {
        "codes": sorted(map(str, codes)),
        "hour": keys.asked_hour,
        "asks": {keys.asked_day: 0, **asks},
        "adds": adds,
    }
    return json.dumps(stored, separators=(",", ":"))


def _hour(moment: int) -> int:
    """Return the hour of the day in UTC."""
    return moment // _HOUR_MS % _HOURS


def _near_key(hour: int) -> str:
    """Return the key for the row of an hour and the two adjacent hours."""
    return f"near {hour % _HOURS}"
