"""`python -m tests.bench.idle`: memory use of an idle installation on SQLite."""

from collections import Counter

from tests.bench.measuring import bare_server, product
from tests.bench.processes import settled_mib, threads
from tests.bench.responses import check
from tests.bench.table import at_most, run, say
from tests.support.browsers.web_person import new_web_person
from tests.support.clients.agent import new_agent
from tests.support.servers.server import LiveServer

_MAX_MIB = 120.0


def main() -> None:
    """Measure the PSS of the process tree, a few seconds after one complete flow.

    Before the first flow, much of the program is not loaded.
    """
    say("## Idle server")
    with bare_server() as bare, product() as server:
        assert server.process is not None
        approve_once(server)
        idle_mib = settled_mib(server.process.pid)
        say("| what | PSS MiB | threads |\n|---|---|---|")
        say(f"| bare Flask view | {settled_mib(bare):.0f} | {threads(bare)} |")
        say(f"| idle server | {idle_mib:.0f} | {threads(server.process.pid)} |")
        at_most("idle server:", idle_mib, _MAX_MIB, " MiB")


def approve_once(server: LiveServer) -> None:
    """Run one request from asking to the token, and open the user's pages."""
    person, agent = new_web_person(server), new_agent(server)
    handle = agent.request_approval(person.name)
    (waiting,) = person.http.get("/api/approvals").json()["items"]
    statuses = [person.http.get(path).status_code for path in ("/", f"/r/{waiting['id']}")]
    response = person.decide(waiting["id"], person.assertion(waiting["id"]))
    responses = Counter([*statuses, response.status_code, agent.poll(handle).status_code])
    check("idle server", "200", {str(status): count for status, count in responses.items()})


if __name__ == "__main__":
    run(main)
