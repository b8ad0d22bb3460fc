"""`python -m tests.bench.verification`: token verification in the SDK, compared with PyJWT."""

import statistics
import time
from collections.abc import Callable

import jwt

from sayso import Guard
from tests.bench.table import at_most, run, say
from tests.support.fakes.issuer import API, ISSUER, USER, FakeIssuer
from tests.support.inputs.handmade_jwts import new_key

_MAX_RATIO = 1.2
_TOKENS = 400
_ROUNDS = 21


def main() -> None:
    """Measure both in turn in each round, because a busy machine slows both."""
    say("## Verification (one token in the SDK, against jwt.decode with the same key)")
    for alg in ("ES256", "EdDSA", "RS256"):
        issuer = FakeIssuer([new_key(alg, "first")])
        with issuer.http as http:
            _measure(alg, issuer, Guard(ISSUER, API, http=http))


def _measure(alg: str, issuer: FakeIssuer, guard: Guard) -> None:
    tokens = [issuer.token() for _ in range(_TOKENS)]
    key = jwt.PyJWK(issuer.keys[0].jwk).key

    def bare(token: str) -> str:
        claims = jwt.decode(token, key, [alg], audience=API, issuer=ISSUER)
        return str(claims["sub"])

    def kit(token: str) -> str:
        return str(guard.check(f"Bearer {token}").user)

    _seconds(kit, tokens)
    rounds = [(_seconds(bare, tokens), _seconds(kit, tokens)) for _ in range(_ROUNDS)]
    micros = [statistics.median(each) / _TOKENS * 1e6 for each in zip(*rounds, strict=True)]
    say(f"{alg}: bare {micros[0]:.1f} µs, kit {micros[1]:.1f} µs")
    at_most(
        f"{alg}: ratio", statistics.median(ours / theirs for theirs, ours in rounds), _MAX_RATIO
    )


def _seconds(verify: Callable[[str], str], tokens: list[str]) -> float:
    """Return the processor time for all tokens, which must all have the same user."""
    began = time.process_time()
    users = {verify(token) for token in tokens}
    took = time.process_time() - began
    if users != {USER}:
        raise AssertionError(users)
    return took


if __name__ == "__main__":
    run(main)
