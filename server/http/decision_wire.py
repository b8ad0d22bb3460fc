"""A person's answer, as JSON: what is signed, and what travels beside it."""

from pydantic import Field

from server.http.admin_bodies import Moment, milliseconds
from server.http.wire import StrictBody
from server.services.ceremonies import Entered
from server.services.said import Said


class SignedDecision(StrictBody):
    """A person's signed answer (compact JWS), what the agent is told, and what a yes takes."""

    decision: str = Field(max_length=16_384)
    note: str | None = Field(default=None, max_length=1_000)
    retry_at: Moment | None = None
    """From when on the agent may ask again; with the code `wait_until` alone."""
    ask: str | None = Field(default=None, min_length=1, max_length=254)
    """Whom the agent may ask instead, by name, address or id; with the code `ask_other` alone."""
    private_note: str | None = Field(default=None, max_length=1_000)
    """For the record; no agent sees it."""
    granted: str | None = Field(default=None, max_length=65_536)
    fact: str | None = Field(default=None, min_length=1, max_length=8_192)
    match: str | None = Field(default=None, min_length=1, max_length=64)
    reason: str | None = Field(default=None, min_length=1, max_length=1_000)

    def said(self) -> Said:
        """The answer as it is judged."""
        return Said(
            self.decision,
            self.note,
            self.granted,
            Entered(self.fact, self.match, self.reason),
            None if self.retry_at is None else milliseconds(self.retry_at),
            self.ask,
            self.private_note,
        )
