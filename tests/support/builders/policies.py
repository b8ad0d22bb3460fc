"""Policy rules and policy questions for tests.

Owns: rules as short calls, a question that a test changes, a history that a test sets.
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
    """A history that the test sets: each use and its count."""

    used: Mapping[str, int] = field(default_factory=dict)
    odd: frozenset[Code] = frozenset()

    def known_uses(self, uses: Sequence[str]) -> AbstractSet[str]:
        """Return those of these uses that the history has."""
        return self.used.keys() & set(uses)

    def count(self, use: str, window_ms: int, enough: int) -> int:
        """Return the count that the test set, whatever the window, but at most `enough`."""
        assert window_ms > 0
        return min(enough, self.used.get(use, 0))

    def unusual(self) -> frozenset[Code]:
        """Return the codes that the test set."""
        return self.odd


def rule(outcome: str, *lines: str, name: str = "r", because: str = "Because.") -> str:
    """Return one rule of a policy document."""
    head = (f'id = "{name}"', f'because = "{because}"', f'outcome = "{outcome}"')
    return "\n".join(["[[rules]]", *head, *lines, ""])


def engine(*rules: str) -> BuiltinEngine:
    """Return an engine with these rules; every name in them is its own ID."""
    document = documents.parse_policy("\n".join(rules))
    names = documents.names_in(document)
    return compile_document(
        document,
        {name: name for name in names["agent"]},
        {name: name for name in (*names["user"], *names["user or group"])},
    )


def question(**members: Any) -> Question:
    """Return the question whether Ana's agent may read for her at noon; `members` change it."""
    question_members: dict[str, Any] = {
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
    return Question(**question_members)


def payment(minor: int = 5_000, currency: str = "EUR", payee: str = "Nord") -> dict[str, Any]:
    """Return the members of a question about a low-risk payment."""
    amount = {"minor": minor, "currency": currency}
    return {
        "scopes": {},
        "types": {"payment": Risk.LOW},
        "details": ({"type": "payment", "amount": amount, "payee": payee},),
    }


def verdict(*rules: str, **members: Any) -> Verdict:
    """Return the verdict of these rules on the question with these members."""
    return decide(engine(*rules), question(**members), SOURCE)
