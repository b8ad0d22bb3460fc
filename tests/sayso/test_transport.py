"""Flows that are interrupted, and connections that fail."""

import asyncio
import json

import httpx
import pytest

from sayso import Agent, AsyncAgent, AsyncGuard, Guard, Refused, Unreachable
from tests.support.fakes.issuer import API, ISSUER, USER, FakeIssuer
from tests.support.fakes.receiver import answer, receiver


class _Slow:
    """Answers as the issuer does, but the first time only when the test is over."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self._issuer = issuer
        self.began = asyncio.Event()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if not self.began.is_set():
            self.began.set()
            await asyncio.sleep(60)
        return self._issuer.answer(request)


async def test_a_canceled_check_does_not_block_the_next_one() -> None:
    """The other calls wait for one fetch of the keys, which must end with its task."""
    issuer = FakeIssuer()
    slow = _Slow(issuer)
    http = httpx.AsyncClient(transport=httpx.MockTransport(slow.answer))
    async with AsyncGuard(ISSUER, API, http=http) as guard:
        first = asyncio.create_task(guard.check(f"Bearer {issuer.token()}"))
        await slow.began.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await first
        async with asyncio.timeout(5):
            assert (await guard.check(f"Bearer {issuer.token()}")).user == USER
    assert raised.value.__traceback__ is not None  # the traceback keeps the flow alive


def test_an_interrupted_check_does_not_block_the_next_one() -> None:
    """Ctrl+C in a thread releases the fetch of the keys too."""
    issuer = FakeIssuer()
    errors: list[BaseException] = [KeyboardInterrupt()]

    def answer(request: httpx.Request) -> httpx.Response:
        if errors:
            raise errors.pop()
        return issuer.answer(request)

    with Guard(ISSUER, API, http=httpx.Client(transport=httpx.MockTransport(answer))) as guard:
        with pytest.raises(KeyboardInterrupt) as raised:
            guard.check(f"Bearer {issuer.token()}")
        assert not guard._guarding.keys._fetching.locked()
        assert guard.check(f"Bearer {issuer.token()}").user == USER
    assert raised.value.__traceback__ is not None  # as above


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("[SSL] self-signed certificate"), "ConnectError: [SSL] self-signed"),
        (httpx.ConnectError("Name or service\nnot known."), "Name or service not known. Check"),
        (httpx.ReadTimeout(""), "ReadTimeout. Check"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] x"), "set SSL_CERT_FILE to its file"),
        (httpx.DecodingError("Error -3 in gzip"), "DecodingError: Error -3 in gzip. Check"),
    ],
)
def test_an_unreachable_server_is_reported_with_the_reason(
    error: httpx.RequestError, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong certificate, a wrong name and a firewall need different remedies."""
    monkeypatch.setattr("time.sleep", lambda _: None)

    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with (
        Agent(
            ISSUER, "id", secret="s", http=httpx.Client(transport=httpx.MockTransport(fail))
        ) as agent,
        pytest.raises(Unreachable) as unreachable,
    ):
        agent.ask("ana", None)
    assert reason in str(unreachable.value)


def test_a_traceback_with_local_variables_does_not_contain_the_secret() -> None:
    """Services that collect errors store such tracebacks."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "authorization" not in request.headers:
            endpoint = {"backchannel_authentication_endpoint": f"{ISSUER}/bc-authorize"}
            return httpx.Response(200, json={"issuer": ISSUER, **endpoint})
        sent.append(request.headers["authorization"])
        raise RuntimeError

    sent: list[str] = []
    http = httpx.Client(transport=httpx.MockTransport(answer))
    agent = Agent(ISSUER, "id", secret="confidential", http=http)
    with agent, pytest.raises(RuntimeError) as raised:
        agent.ask("ana", None)
    frames = [entry.frame for entry in raised.traceback]
    own = [frame for frame in frames if frame.f_globals["__name__"].startswith("sayso.")]
    variables = repr([list(frame.f_locals.values()) for frame in own])
    assert "Send(" in variables
    assert sent[0] not in variables
    assert "confidential" not in variables + repr(agent._asking._credentials)


async def test_more_than_a_hundred_requests_can_wait_at_the_same_time() -> None:
    """Each needs a connection while the server holds its poll, and no other may wait for it."""
    number, connected, handlers = 101, asyncio.Semaphore(0), set()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        connected.release()
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server, asyncio.timeout(10):
        port = server.sockets[0].getsockname()[1]
        async with AsyncAgent(f"http://127.0.0.1:{port}", "id", secret="s") as agent:
            asking = [asyncio.create_task(agent.ask("ana")) for _ in range(number)]
            for _ in asking:
                await connected.acquire()
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        await asyncio.gather(*handlers, return_exceptions=True)


def test_a_server_on_this_machine_is_not_called_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy would get the agent's secret in plain text, and has a different localhost."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setenv("ALL_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    metadata = {"issuer": "https://other.example"}
    with receiver() as server:
        server.behavior = answer(200, json.dumps(metadata).encode())
        issuer = f"http://127.0.0.1:{server.port}"
        with Agent(issuer, "id", secret="s") as agent, pytest.raises(Refused, match=r"other\.ex"):
            agent.ask("ana")
        with pytest.raises(Refused, match=r"other\.ex"):
            asyncio.run(_ask_once(issuer))


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("SSL_CERT_FILE", "/missing.pem", "No such file"),
        ("SSL_CERT_FILE", __file__, "no certificate"),
        ("ALL_PROXY", "ftp://proxy.example", "Unknown scheme"),
    ],
)
def test_an_unusable_variable_of_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    """The error of the SSL library names neither the variable nor the file."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"Check .*{variable}.*: .*{reason}"):
        Agent(ISSUER, "id", secret="s")
    with pytest.raises(ValueError, match=f"Check .*{variable}.*: .*{reason}"):
        asyncio.run(_ask_once(ISSUER))


async def _ask_once(issuer: str) -> None:
    async with AsyncAgent(issuer, "id", secret="s") as agent:
        await agent.ask("ana")
