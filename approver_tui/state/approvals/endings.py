"""Why a request ended without anybody's answer, in words for the person.

Owns: one sentence per reason that the server may give. Never: a denial; that has its own words.
"""

from collections.abc import Mapping
from types import MappingProxyType

from approver_tui.state.text import SafeText

ENDED: Mapping[str, SafeText] = MappingProxyType(
    {
        reason: SafeText(text)
        for reason, text in {
            "expired_seen": "It was opened, and nobody answered.",
            "expired_unseen": "Nobody opened it.",
            "undeliverable": "It reached no device in time.",
            "no_device": "There was no device to answer on.",
            "not_redeemed": "It was approved, and its agent did not come back.",
            "agent_disabled": "Its agent was stopped.",
            "agent_quarantined": "Its agent was put in quarantine.",
            "agent_deleted": "Its agent is gone.",
            "resource_deleted": "What it was for is gone.",
            "user_disabled": "Whoever it was for is disabled.",
            "parent_ended": "The token that it came from has ended.",
            "grant_ended": "The standing grant that it used has ended.",
            "cancelled": "Whoever was signing in gave up.",
            "superseded": "Replaced by a newer request of the same agent.",
            "locked": "Too much was typed wrongly.",
            "policy_changed": "The rules have changed.",
            "reported": "It was reported.",
            "restored": "The server was restored from a backup.",
        }.items()
    }
)
