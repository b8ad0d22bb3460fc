"""An agent: a program that asks people before it acts.

Owns: `Agent` for threads and `AsyncAgent` for asyncio. They are otherwise the same.
"""

from collections.abc import Callable
from typing import Generic, Unpack

import httpx

from sayso.approved import Approved
from sayso.asking import Asking
from sayso.credentials import Credentials
from sayso.keys import KeySource
from sayso.request_form import Action, Asked, Options
from sayso.transport import AsyncConnected, Connected, Http, run


class _Common(Generic[Http]):
    """The base of the two agents."""

    _connect: Callable[[Http | None], None]

    def __init__(
        self,
        issuer: str,
        client_id: str,
        *,
        secret: str | None = None,
        key: KeySource | None = None,
        ping: bool = False,
        http: Http | None = None,
    ) -> None:
        self._asking = Asking(issuer, Credentials.create(client_id, secret, key), ping=ping)
        self._connect(http)

    def pinged(self, authorization: str | None, body: bytes) -> int:
        """Handle a ping that was posted to the agent's endpoint; return the status to respond with.

        `authorization` is the header. Any thread may call this. A ping is checked against a token
        that only the server and this agent know. It wakes the `ask` that waits for that request.
        """
        return self._asking.pinged(authorization, body)


class Agent(Connected, _Common[httpx.Client]):
    """An agent with its credentials, as `sayso agents add` registered it.

    Pass `secret` (`client_secret_basic`) or `key` (`private_key_jwt`: PEM, JWK or a
    `cryptography` key). If the agent is registered for bound tokens, DPoP proofs are signed with a
    key that is derived from these credentials. Set `ping` for an agent that is registered with
    `--delivery ping`, and pass what Sayso posts to your endpoint to `pinged`, which wakes the
    waiting `ask`. `http` is your own client, for proxies or certificates.
    All threads can share one object. Raises ValueError for an invalid argument.
    """

    def ask(self, user: str, action: Action = None, **options: Unpack[Options]) -> Approved:
        """Ask a user, and wait until they answer.

        `user` is a user name, email address or ID. `action` is what the agent wants to do, as an
        object with a registered `type`. `options` are those of `sayso.Options`.

        Raises `NotApproved` (`Denied`, `Expired`, `Undeliverable`, `Withdrawn`, `Disabled`),
        `Refused`, or `Unreachable`.
        """
        return run(self._asking.ask(user, action, options), self._http)

    def exchange(
        self,
        subject_token: str,
        action: Action = None,
        **options: Unpack[Options],
    ) -> Approved:
        """Exchange the token that came with a call for a token for another API (RFC 8693).

        `resource=` is the API; `scope=` or `action` is what the agent needs there. If a person must
        approve first, this asks them and waits as `ask` does. Raises the same errors.
        """
        return run(self._asking.exchange(subject_token, action, options), self._http)

    def withdraw(self, asked: Asked) -> None:
        """Withdraw a request; `asked` is what `on_asked` received. Its `ask` raises Withdrawn."""
        run(self._asking.withdraw(asked), self._http)


class AsyncAgent(AsyncConnected, _Common[httpx.AsyncClient]):
    """The same agent for asyncio; see `Agent`. Event loops can share an object without `http`."""

    async def ask(self, user: str, action: Action = None, **options: Unpack[Options]) -> Approved:
        """Ask a user, and wait until they answer; see `Agent.ask`."""
        return await self._run(self._asking.ask(user, action, options))

    async def exchange(
        self,
        subject_token: str,
        action: Action = None,
        **options: Unpack[Options],
    ) -> Approved:
        """Exchange a token, and ask a person if necessary; see `Agent.exchange`."""
        flow = self._asking.exchange(subject_token, action, options)
        return await self._run(flow)

    async def withdraw(self, asked: Asked) -> None:
        """Withdraw a request; see `Agent.withdraw`."""
        await self._run(self._asking.withdraw(asked))
