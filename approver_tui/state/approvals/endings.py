"""Why a request ended without an answer, in words for the user.

Owns: one sentence for each reason that the server can give. Never: the reasons for denials.
"""

from collections.abc import Mapping

from approver_tui.state.text import SafeText

END_REASONS: Mapping[str, SafeText] = {
    reason: SafeText(text)
    for reason, text in {
        "expired_seen": "It was opened, but nobody answered.",
        "expired_unseen": "Nobody opened it.",
        "undeliverable": "It was not delivered to any device in time.",
        "no_device": "You had no device to answer on.",
        "not_redeemed": "Its agent did not collect the token in time.",
        "agent_disabled": "Its agent was disabled.",
        "agent_quarantined": "Its agent was quarantined.",
        "agent_deleted": "Its agent was deleted.",
        "key_rotated": "The credentials of its agent have changed.",
        "owner_changed": "The owners of its agent have changed.",
        "resource_deleted": "Its resource was deleted.",
        "user_disabled": "Its user is disabled.",
        "caller_disabled": "The client that called its agent was disabled.",
        "parent_ended": "The token it was based on has ended.",
        "grant_ended": "The standing grant it used has ended.",
        "consent_changed": "Another consent to this client was signed first. Start again.",
        "cancelled": "The sign-in was canceled.",
        "withdrawn": "Its agent withdrew it.",
        "superseded": "Replaced by a newer request from the same agent.",
        "locked": "Too many wrong entries.",
        "policy_changed": "The policy has changed.",
        "reported": "It was reported.",
        "restored": "The server was restored from a backup.",
    }.items()
}
