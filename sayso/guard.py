"""Guards an API that agents call.

Owns: `Guard` for threads and `AsyncGuard` for asyncio. They are otherwise the same.
"""

from collections.abc import Callable, Sequence
from typing import Generic

import httpx

from sayso.caller import Caller
from sayso.guarding import Call, Consumed, Demands, Details, Guarding
from sayso.transport import AsyncConnected, Connected, Http, run

_NO_DEMANDS = Demands()


class _Common(Generic[Http]):
    """The base of the two guards."""

    _connect: Callable[[Http | None], None]

    def __init__(  # noqa: PLR0913  # each is named
        self,
        issuer: str,
        audience: str,
        *,
        credentials: tuple[str, str] | None = None,
        introspect_every: float | None = None,
        url: str | None = None,
        scopes: Sequence[str] = (),
        http: Http | None = None,
    ) -> None:
        self._guarding = Guarding(issuer, audience, credentials, introspect_every, url)
        self._scopes = tuple(scopes)
        self._connect(http)

    @property
    def metadata_path(self) -> str:
        """Where the API must serve `metadata`: `/.well-known/oauth-protected-resource…`."""
        return self._guarding.metadata_path

    @property
    def metadata(self) -> dict[str, object]:
        """The protected resource metadata (RFC 9728), in which clients find the issuer."""
        return self._guarding.metadata(self._scopes)

    def public_url(self, path: str) -> str:
        """Return the URL of a path as clients see it."""
        return self._guarding.public_url(path)


class Guard(Connected, _Common[httpx.Client]):
    """Checks the tokens of calls to one API, in any thread.

    `audience` is the URI given to `sayso resources add`. `credentials` are the client ID and secret
    that it printed, needed to introspect and to consume. With `introspect_every=None`, only the
    signature of a token is verified, and the token is accepted until it expires. With a number, the
    token is introspected again after that many seconds; 0 means at each call. `url` is the API's
    public URL, if it differs from the audience; its path is the prefix that a proxy removes, if
    any. `scopes` are listed in the metadata. Raises ValueError for an invalid argument.
    """

    def check(
        self,
        authorization: str | None,
        *,
        method: str = "GET",
        path: str = "/",
        proofs: Sequence[str] = (),
    ) -> Caller:
        """Return the caller of a request, from its `Authorization` and `DPoP` headers (`proofs`).

        Raises Rejected: respond with its status, headers and body.
        """
        call = Call(authorization, method, self.public_url(path), proofs)
        return run(self._guarding.check(call), self._http)

    def consume(
        self,
        caller: Caller,
        details: Details,
        execution_id: str | None = None,
        demands: Demands = _NO_DEMANDS,
    ) -> Consumed:
        """Use up the caller's approval, immediately before the action runs.

        `details` must completely describe what is about to run, and equal what was granted.
        `execution_id` (up to 128 visible ASCII characters) is your own ID of this execution: a call
        can be repeated only with the same ID. Without one, it cannot be repeated. Never take the ID
        from the caller, unless you run each ID only once. Raises Rejected: ApprovalRequired if the
        details were not granted, 409 `already_consumed`, or 401 if the person must answer with
        stronger authentication.
        """
        flow = self._guarding.consume(caller, details, execution_id, demands)
        return run(flow, self._http)


class AsyncGuard(AsyncConnected, _Common[httpx.AsyncClient]):
    """The same guard for asyncio; see `Guard`. Event loops can share an object without `http`."""

    async def check(
        self,
        authorization: str | None,
        *,
        method: str = "GET",
        path: str = "/",
        proofs: Sequence[str] = (),
    ) -> Caller:
        """Return the caller; see `Guard.check`."""
        call = Call(authorization, method, self.public_url(path), proofs)
        return await self._run(self._guarding.check(call))

    async def consume(
        self,
        caller: Caller,
        details: Details,
        execution_id: str | None = None,
        demands: Demands = _NO_DEMANDS,
    ) -> Consumed:
        """Use up the caller's approval; see `Guard.consume`."""
        flow = self._guarding.consume(caller, details, execution_id, demands)
        return await self._run(flow)
