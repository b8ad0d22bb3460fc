"""Rule sets and questions of tests.

Owns: rules written in one line, a question that a test changes, a history that a test dictates.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from server.protocol.approvals.unusual import Code
from server.protocol.policy.questions import PolicyVersion, Question, Verdict, decide
from server.protocol.policy.risks import Risk
from server.services.policy import documents
from server.services.policy.builtin import BuiltinEngine, compile_document

NOON = 1_795_694_400_000
"""Thursday, 26 November 2026, 12:00 UTC."""
SOURCE = PolicyVersion(1, "h")


@dataclass(frozen=True)
class KnownHistory:
    """A history: what was used, and how often of late."""

    used: Mapping[str, int] = field(default_factory=dict)
    odd: frozenset[Code] = frozenset()

    def seen(self, uses: Sequence[str]) -> AbstractSet[str]:
        """Those that are there."""
        return self.used.keys() & set(uses)

    def count(self, use: str, window_ms: int, enough: int) -> int:
        """The number that the test says, whatever the window."""
        assert window_ms > 0
        return min(enough, self.used.get(use, 0))

    def unusual(self) -> frozenset[Code]:
        """What the test says."""
        return self.odd


def rule(outcome: str, *lines: str, name: str = "r", because: str = "Because.") -> str:
    """One rule of a document."""
    head = (f'id = "{name}"', f'because = "{because}"', f'outcome = "{outcome}"')
    return "\n".join(["[[rules]]", *head, *lines, ""])


def engine(*rules: str) -> BuiltinEngine:
    """The engine of these rules; every name in them is its own id."""
    document = documents.parse_policy("\n".join(rules))
    named = documents.names_in(document)
    return compile_document(
        document, {n: n for n in named["agents"]}, {n: n for n in named["users"] | named["who"]}
    )


def question(**members: Any) -> Question:
    """An agent of Ana's asks to read for her, at noon."""
    whole: dict[str, Any] = {
        "flow": "request",
        "agent": "bot",
        "labels": frozenset({"team=finance", "pilot"}),
        "owners": frozenset({"ana"}),
        "user": "ana",
        "resource": "https://pay.example",
        "scopes": {"read": Risk.LOW},
        "types": {},
        "details": (),
        "at": NOON,
        "history": KnownHistory(),
        **members,
    }
    return Question(**whole)


def payment(minor: int = 5_000, currency: str = "EUR", payee: str = "Nord") -> dict[str, Any]:
    """The members of a question that make it one about a payment of low risk."""
    amount = {"minor": minor, "currency": currency}
    return {
        "scopes": {},
        "types": {"payment": Risk.LOW},
        "details": ({"type": "payment", "amount": amount, "payee": payee},),
    }


def verdict(*rules: str, **members: Any) -> Verdict:
    """What these rules say to the question."""
    return decide(engine(*rules), question(**members), SOURCE)
