"""`python -m tests.bench.growth`: console pages and ends, with few and with 400,000 approvals.

It compares two servers, on SQLite and on PostgreSQL: one has few approvals, the other one also has
100,000 pending and 300,000 redeemed approvals of other users, and the tokens of the redeemed ones.
An end is a change that ends what is open, such as disabling a user; other writers wait for it.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Connection,
    LargeBinary,
    Table,
    Text,
    cast,
    create_engine,
    func,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.sql.elements import ColumnElement

from server.services.clients.agents import Agents
from server.services.resources.resources import Resources
from server.services.users.users import UserChanges, Users
from server.storage.approvals.tables import approvals, decisions
from server.storage.dumps import transaction
from server.storage.tokens.tables import delegations
from tests.bench.measuring import Target, compare
from tests.bench.responses import Expected
from tests.bench.table import at_most, growth, run, say
from tests.support.browsers.web_person import WebPerson, new_web_person
from tests.support.builders.databases import upgraded_database
from tests.support.builders.installation import PAY_SCOPES
from tests.support.clients.agent import Agent, new_agent
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import BY, LiveServer, live_server

_PENDING, _REDEEMED = 100_000, 300_000
_OTHERS = 200
"""The number of users and agents that the added approvals are spread over."""
_MINUTE_MS = 60 * 1000
_FEW_APPROVALS = 14 * 24 * 60
"""The small installation has redeemed approvals too, so that its lists and charts are full."""
_PAGES = ("/admin", "/admin/delegations", "/admin/delegations?ended=true", "/admin/approvals")
_MAX_PAGE_RATIO = 1.2
_ENDS = 15
_MAX_END_RATIO = 1.5
_RESOURCE = "https://ended.example"


@dataclass(frozen=True, slots=True)
class _Installation:
    """A running server with an administrator, and an agent that asked them once."""

    server: LiveServer
    person: WebPerson
    agent: Agent
    database: int
    """The first process of its PostgreSQL server; 0 on SQLite."""


def main() -> None:
    """Compare on both databases."""
    with ExitStack() as running:
        _compare("SQLite", [running.enter_context(_installation()) for _ in range(2)])
    with PostgresServer() as database, ExitStack() as running:
        urls = [upgraded_database(database) for _ in range(2)]
        pid = database.process_id
        _compare("PostgreSQL", [running.enter_context(_installation(url, pid)) for url in urls])


@contextmanager
def _installation(database_url: str = "", database: int = 0) -> Iterator[_Installation]:
    settings = {**WITHOUT_LIMITS, **({"database_url": database_url} if database_url else {})}
    with (
        tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder,
        live_server(Path(folder), **settings) as server,
    ):
        person, agent = new_web_person(server), new_agent(server)
        users = Users(server.services.store, server.services.secrets)
        users.update(person.name, UserChanges(roles=("admin",)), by=BY)
        handle = agent.request_approval(person.name)
        (waiting,) = person.http.get("/api/approvals").json()["items"]
        person.decide(waiting["id"], person.assertion(waiting["id"]))
        agent.poll(handle).raise_for_status()
        yield _Installation(server, person, agent, database)


def _compare(database: str, both: Sequence[_Installation]) -> None:
    small, large = both
    fill(small.server, pending=100, redeemed=_FEW_APPROVALS)
    fill(large.server, pending=_PENDING, redeemed=_REDEEMED)
    if small.database:
        _vacuum(both)
    for page in _PAGES:
        say(f"## {page} on {database}, with few and with {_PENDING + _REDEEMED} approvals")
        targets = [
            _target(it, f"{page}, {name}", page) for it, name in zip(both, _NAMES, strict=True)
        ]
        growth(compare(targets), max_ratio=_MAX_PAGE_RATIO)
    _compare_ends(database, both)


_NAMES = ("few", "many")


def _target(it: _Installation, name: str, page: str) -> Target:
    server = it.server
    assert server.process is not None
    request = (
        f"GET {page} HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
        f"Cookie: {it.person.cookie}\r\n\r\n"
    )
    expected = Expected(HTTPStatus.OK, "data-sign-out")
    process = server.process.pid
    return Target(
        name, process, server.port, expected, lambda: [request], again=True, database=it.database
    )


def _compare_ends(database: str, both: Sequence[_Installation]) -> None:
    """Compare the time of each end, in turn; every one also ends an open request."""
    say(f"## Ends on {database}: milliseconds\n| end | few | many |\n|---|---|---|")
    ratios = {}
    for name, end in _END_KINDS.items():
        times = [[end(it) for it in both] for _ in range(_ENDS)][1:]
        few, many = (statistics.median(column) for column in zip(*times, strict=True))
        ratios[name] = many / few
        say(f"| {name} | {few:.1f} | {many:.1f} |")
    say("")
    for name, ratio in ratios.items():
        at_most(f"{database}, {name}: ratio", ratio, _MAX_END_RATIO)


def _disable_user(it: _Installation) -> float:
    name, _ = it.server.user()
    it.agent.request_approval(name)
    users = Users(it.server.services.store, it.server.services.secrets)
    return _timed(lambda: users.disable(name, by=BY).requests_cancelled)


def _disable_agent(it: _Installation) -> float:
    agent = new_agent(it.server)
    agent.request_approval(it.person.name)
    agents = Agents(it.server.services.store, it.server.services.secrets)
    return _timed(lambda: agents.disable(agent.key.id, by=BY).requests_cancelled)


def _delete_resource(it: _Installation) -> float:
    resources: Resources = it.server.resources
    resources.add(_RESOURCE, PAY_SCOPES, {}, by=BY)
    return _timed(lambda: resources.delete(_RESOURCE, by=BY) is not None)


_END_KINDS: Mapping[str, Callable[[_Installation], float]] = {
    "disabling a user": _disable_user,
    "disabling an agent": _disable_agent,
    "deleting a resource": _delete_resource,
}


def _timed(end: Callable[[], int]) -> float:
    began = time.perf_counter()
    assert end() == 1, "nothing was ended"
    return (time.perf_counter() - began) * 1000


def _vacuum(both: Sequence[_Installation]) -> None:
    """Do what autovacuum would otherwise do during the measurement."""
    for it in both:
        url = it.server.services.settings.sqlalchemy_url
        with create_engine(url).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")


def fill(server: LiveServer, *, pending: int, redeemed: int) -> None:
    """Add copies of the approval that the installation has, with other users and agents."""
    now = literal(server.clock.now(), BigInteger)
    with transaction(server.services.settings.sqlalchemy_url) as connection:
        number = _numbers(redeemed)
        at = now - number * _MINUTE_MS // 4
        times = {"created_at": at - 5_000, "decided_at": at, "expires_at": at + _MINUTE_MS}
        _copy(connection, approvals, number, {**_identity("r", number), **times})
        _copy(connection, decisions, number, {"approval_id": _name("r", number), "at": at})
        of = {"approval_id": _name("r", number), "client_id": _other(number)}
        times = {"issued_at": at, "expires_at": at + 5 * _MINUTE_MS}
        ids = {"id": _name("t", number), "user_id": _other(number), "resource": _other(number)}
        _copy(connection, delegations, number, {**ids, **of, **times})
        number = _numbers(pending)
        open_ones = {
            "state": literal("pending"),
            "created_at": now - number,
            "decided_at": null(),
            "expires_at": now + (60 + number % 600) * _MINUTE_MS,
        }
        _copy(connection, approvals, number, {**_identity("p", number), **open_ones})


def _numbers(count: int) -> ColumnElement[int]:
    """Return the column of a table of the numbers from 1 to `count`."""
    numbers = select(cast(1, BigInteger).label("number")).cte("numbers", recursive=True)
    more = select(numbers.c.number + 1).where(numbers.c.number < count)
    column: ColumnElement[int] = numbers.union_all(more).c.number
    return column


def _copy(
    connection: Connection,
    table: Table,
    number: ColumnElement[int],
    changes: Mapping[str, ColumnElement[object]],
) -> None:
    """Copy the first row of the table once for each number, with these columns changed."""
    first = select(table).limit(1).subquery()
    values = [changes.get(column.key, first.c[column.key]) for column in table.c]
    rows = select(*values).select_from(first).join(number.table, literal(1) == 1)
    connection.execute(insert(table).from_select([column.key for column in table.c], rows))


def _name(kind: str, number: ColumnElement[int]) -> ColumnElement[str]:
    return literal(f"sayso_{kind}_") + cast(number, Text)


def _other(number: ColumnElement[int]) -> ColumnElement[str]:
    return literal("other-") + cast(func.mod(number, _OTHERS), Text)


def _identity(kind: str, number: ColumnElement[int]) -> Mapping[str, ColumnElement[object]]:
    """Return the changed columns of an approval that do not depend on a time."""
    name = _name(kind, number)
    return {
        "id": name,
        "auth_req_hash": cast(name, LargeBinary),
        "idempotency_hash": null(),
        "agent_id": _other(number),
        "user_id": _other(number),
        "resource": _other(number),
    }


if __name__ == "__main__":
    run(main)
