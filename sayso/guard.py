"""An API that agents call.

Owns: `Guard` for threads and `AsyncGuard` for asyncio, which differ in nothing else.
"""

from collections.abc import Callable, Sequence
from typing import Generic

import httpx

from sayso.caller import Caller
from sayso.guarding import Call, Consumed, Demands, Details, Guarding
from sayso.transport import AsyncConnected, Connected, Http, run, run_async

_NO_DEMANDS = Demands()


class _Common(Generic[Http]):
    """The base of the two guards."""

    _new_http: Callable[[], Http]

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
        self._http: Http = http or self._new_http()

    @property
    def metadata_path(self) -> str:
        """Where the API must serve `metadata`: `/.well-known/oauth-protected-resource…`."""
        return self._guarding.metadata_path

    @property
    def metadata(self) -> dict[str, object]:
        """The protected resource metadata (RFC 9728), by which clients find the issuer."""
        return self._guarding.metadata(self._scopes)

    def public_url(self, path: str) -> str:
        """The URL of a path as clients see it."""
        return self._guarding.public_url(path)


class Guard(Connected, _Common[httpx.Client]):
    """Checks the tokens of calls to one API, in any thread.

    `audience` is the URI of `sayso resources add`, `credentials` the client ID and secret that it
    printed (needed to introspect and to consume). With `introspect_every=None` a token is verified
    by its signature alone and counts until it expires; with a number, Sayso is asked about a token
    again after so many seconds, 0 meaning each time. `url` is the API's public URL, if it is not
    the audience's. `scopes` are named in the metadata. Raises ValueError for what cannot be right.
    """

    def check(
        self,
        authorization: str | None,
        *,
        method: str = "GET",
        path: str = "/",
        proofs: Sequence[str] = (),
    ) -> Caller:
        """Who calls, by the `Authorization` header and the `DPoP` headers (`proofs`) of a request.

        Raises Rejected: answer with its status, headers and body.
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
        """Use up the caller's approval, right before the action runs.

        `details` is what is about to run, complete; it must equal what was granted. `execution_id`
        (up to 128 visible ASCII characters) is your own name of this execution: only the same one
        may repeat it. Without one, nothing can. Never take it from the caller, unless you run the
        same ID once. Raises Rejected: ApprovalRequired if the details were not granted, 409
        `already_consumed`, 401 if the person must answer in a stronger way.
        """
        flow = self._guarding.consume(caller, details, execution_id, demands)
        return run(flow, self._http)


class AsyncGuard(AsyncConnected, _Common[httpx.AsyncClient]):
    """The same guard for asyncio; see `Guard`."""

    async def check(
        self,
        authorization: str | None,
        *,
        method: str = "GET",
        path: str = "/",
        proofs: Sequence[str] = (),
    ) -> Caller:
        """Who calls; see `Guard.check`."""
        call = Call(authorization, method, self.public_url(path), proofs)
        return await run_async(self._guarding.check(call), self._http)

    async def consume(
        self,
        caller: Caller,
        details: Details,
        execution_id: str | None = None,
        demands: Demands = _NO_DEMANDS,
    ) -> Consumed:
        """Use up the caller's approval; see `Guard.consume`."""
        flow = self._guarding.consume(caller, details, execution_id, demands)
        return await run_async(flow, self._http)
