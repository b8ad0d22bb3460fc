"""Faults of one line each, and the tests that must detect them.

Owns: the table. `planting.py` plants faults, `tests/faults/test_single_lines.py` runs it for all of
them, and `docs/invariants.md` lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
RESULTS_VARIABLE = "PLANTED_FAULTS_RESULTS"
"""The environment variable with the path of the file for the results."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of the product, its faulty replacement, and the test that detects the fault."""

    invariant: str
    path: str
    line: str
    replacement: str
    noticed_by: str

    @property
    def module(self) -> str:
        """The name of the module with the line."""
        return self.path.removesuffix(".py").replace("/", ".")


_OTHER = "other"
"""The mark of faults that belong to no single invariant."""
_MODEL = (
    "tests/server/services/approvals/test_approval_model.py"
    "::test_every_sequence_agrees_with_the_model"
)
_DISABLED = (
    "tests/server/services/clients/test_disabled_agents.py"
    "::test_every_step_is_refused_as_the_table_says"
)
_CHAIN_LIMITS = (
    "tests/server/protocol/tokens/test_token_exchange.py"
    "::test_the_caller_each_actor_and_each_token_limit_a_chain"
)
_GRANT = "tests/server/services/tokens/grants/test_token_exchange.py::"
_ONE_TEXT = (
    "tests/server/services/approvals/test_one_text.py"
    "::test_displayed_signed_issued_and_logged_digests_are_equal"
)

FAULTS: Mapping[str, Fault] = {
    "a request can be redeemed ten minutes late": Fault(
        "I3",
        "server/protocol/approvals/states.py",
        "REDEMPTION_GRACE_MS: Final = 30_000",
        "REDEMPTION_GRACE_MS: Final = 630_000",
        _MODEL,
    ),
    "a disabled actor in a chain is accepted": Fault(
        "I5",
        "server/services/tokens/exchange_checks.py",
        "client is None or not client.active(view.now):",
        "client is None:",
        _GRANT + "test_every_actor_must_be_enabled",
    ),
    "a disabled user's token is active": Fault(
        "I5",
        "server/services/tokens/issued_tokens.py",
        "if row.user_id and (user is None or not user.enabled):",
        "if row.user_id and user is None:",
        "tests/server/services/tokens/test_introspection.py::test_the_state_of_the_user_is_checked",
    ),
    "a disabled user's session is renewed": Fault(
        "I5",
        "server/services/tokens/grants/refresh_token.py",
        "user is not None and user.enabled and (",
        "user is not None and (",
        _DISABLED,
    ),
    "an exchange ignores the caller's permissions": Fault(
        "I17",
        "server/protocol/tokens/token_exchange.py",
        "allowed = requested & ceiling",
        "allowed = requested",
        _CHAIN_LIMITS,
    ),
    "an exchange ignores an earlier actor's permissions": Fault(
        "I17",
        "server/protocol/tokens/token_exchange.py",
        "allowed &= link.ceiling",
        "pass",
        _CHAIN_LIMITS,
    ),
    "an exchange ignores the scope of an earlier token": Fault(
        "I17",
        "server/protocol/tokens/token_exchange.py",
        "allowed &= link.scope",
        "pass",
        _GRANT + "test_at_the_same_resource_an_exchange_cannot_add_scopes",
    ),
    "a token outlives its parent": Fault(
        "I17",
        "server/services/tokens/issuing.py",
        "limits.append(self.parent.expires_at // 1000)",
        "pass",
        _GRANT + "test_a_token_expires_no_later_than_its_subject_token",
    ),
    "a chain has no depth limit": Fault(
        "I17",
        "server/services/tokens/exchange_checks.py",
        "if subject.depth >= token_exchange.MAX_DEPTH:",
        "if subject.depth > token_exchange.MAX_DEPTH:",
        _GRANT + "test_a_chain_has_at_most_four_actors",
    ),
    "may_act is ignored": Fault(
        "I17",
        "server/services/tokens/exchange_checks.py",
        "if not token_exchange.names_agent(may_act, agent.id, issuer):",
        "if not may_act:",
        _GRANT + "test_may_act_restricts_the_actor",
    ),
    "an agent exchanges for a target that it may not use": Fault(
        "I17",
        "server/services/tokens/exchange_checks.py",
        "if resource is None or resource.uri not in agent.resources:",
        "if resource is None:",
        _GRANT + "test_the_target_is_named_or_the_only_one",
    ),
    "details are signed once and used twice": Fault(
        "I17",
        "server/protocol/tokens/token_exchange.py",
        "all(counter <= Counter(link.details) for link",
        "all(set(counter) <= set(link.details) for link",
        "tests/server/protocol/tokens/test_token_exchange.py"
        "::test_details_must_be_covered_by_every_token_since_a_signed_approval",
    ),
    "the display digest is computed from a different text": Fault(
        "I26",
        "server/services/approvals/creation.py",
        "display_digest=decisions.digest(display),",
        "display_digest=decisions.digest(action),",
        _ONE_TEXT,
    ),
    "a token has a different digest from the signed one": Fault(
        "I26",
        "server/services/tokens/issuing.py",
        "action_digest=approval.action_digest,",
        "action_digest=approval.display_digest,",
        _ONE_TEXT,
    ),
    "the audit log has a different digest from the token": Fault(
        "I26",
        "server/services/audit/audit.py",
        "action=approval.action_digest",
        "action=approval.display_digest",
        _ONE_TEXT,
    ),
    "a person and their deputy count as two approvers": Fault(
        "I4",
        "server/services/approvals/votes.py",
        "return {answer.voter_id for answer in valid_approvals(answers)}",
        "return {answer.user_id for answer in valid_approvals(answers)}",
        "tests/server/services/approvers/test_deputies.py"
        "::test_a_person_and_their_former_deputy_share_one_vote",
    ),
    "a withdrawn vote counts": Fault(
        "I4",
        "server/services/approvals/votes.py",
        "    if updated is not None:\n        store_answer(tx, answer)",
        "    if updated is not None:\n        pass",
        "tests/server/services/approvals/test_vote_withdrawals.py"
        "::test_a_withdrawn_vote_no_longer_counts",
    ),
    "an approval from before a withdrawal is accepted again": Fault(
        "I4",
        "server/services/approvals/decisions.py",
        "parts = (str(withdrawals),) if withdrawals else ()",
        "parts = () if withdrawals else ()",
        "tests/server/services/approvals/test_vote_withdrawals.py"
        "::test_no_earlier_decision_is_accepted_after_a_withdrawal",
    ),
    "the bytes of an entry are not compared with its hash": Fault(
        "I8",
        "server/audit_log/verify.py",
        "if entry.hash != entry.leaf:",
        "if not entry.leaf:",
        "tests/server/audit_log/test_verify.py::test_no_byte_of_an_entry_can_be_changed",
    ),
    "a personal text is not compared with its commitment": Fault(
        "I8",
        "server/audit_log/verify.py",
        "if commitments.get(name) != opening.commitment:",
        "if name not in commitments:",
        "tests/server/audit_log/test_verify.py::test_a_text_that_was_not_committed_to_is_refused",
    ),
    "a body may be deleted without an entry about it": Fault(
        "I8",
        "server/audit_log/verify.py",
        "if self.last_trimmed >= self.meaning.trimmed_before:",
        "if self.last_trimmed >= self.frontier.size:",
        "tests/server/services/audit/test_retention.py::test_deleting_a_body_without_an_announcement_is_detected",
    ),
    "a checkpoint may have any root": Fault(
        "I8",
        "server/audit_log/verify.py",
        "if checkpoint.root == self.frontier.root:",
        "if checkpoint.root:",
        "tests/server/audit_log/test_verify.py::test_each_change_is_detected_and_named",
    ),
    "a stored hash of the log may be any hash": Fault(
        "I8",
        "server/services/audit/log.py",
        "if found != expected:",
        "if len(found) > len(complete):",
        "tests/server/services/audit/test_log.py::test_a_changed_log_is_noticed",
    ),
    "an approver trusts a key of the log that was not announced": Fault(
        "I8",
        "approver_tui/client/audit/log_witness.py",
        "key = self._replacement(pinned)",
        'key = LogKey.read(self._session.get(f"{_PATH}/keys").text("log_key"))',
        "tests/approver_tui/client/audit/test_log_witness.py"
        "::test_every_change_is_an_alarm_that_stays",
    ),
    "a second token for an approval is not a contradiction": Fault(
        "I8",
        "server/audit_log/meaning.py",
        'if state == "issued":',
        'if state == "second":',
        "tests/server/audit_log/test_meaning.py::test_each_contradiction_is_named",
    ),
    "a second execution can consume the approval": Fault(
        _OTHER,
        "server/services/approvals/consumptions.py",
        "if stored is None or (stored.execution_id, stored.resource) != own:",
        "if stored is None or stored.resource != own[1]:",
        "tests/server/services/approvals/test_consumptions.py"
        "::test_another_execution_is_refused_with_one_alarm",
    ),
    "an idempotency key matches another agent's request": Fault(
        _OTHER,
        "server/storage/approvals/approvals.py",
        'select(a).where(a.c.agent_id == bindparam("agent"), a.c.idempotency_hash',
        "select(a).where(a.c.idempotency_hash",
        "tests/server/services/ciba/test_requests.py::test_idempotency_keys_are_separate_for_each_agent",
    ),
    "an amount can be narrowed to a larger one": Fault(
        _OTHER,
        "server/protocol/approvals/narrowing.py",
        'return are_integers and 0 <= cast("int", granted) < cast("int", requested)',
        'return are_integers and 0 <= cast("int", granted)',
        "tests/server/protocol/approvals/test_narrowing.py"
        "::test_a_grant_that_is_not_narrower_is_refused",
    ),
    "a policy that cannot be evaluated allows requests": Fault(
        _OTHER,
        "server/protocol/policy/questions.py",
        'return Verdict("deny", question.risk, (FAILED_RULE,)',
        'return Verdict("allow", question.risk, (FAILED_RULE,)',
        "tests/server/services/operations/test_trials.py"
        "::test_an_unreadable_rule_set_is_explained_as_a_denial",
    ),
    "a standing grant can be used once more than its limit": Fault(
        _OTHER,
        "server/protocol/standing_grants/standing_grants.py",
        "usage.uses < bounds.uses and",
        "usage.uses <= bounds.uses and",
        "tests/server/protocol/standing_grants/test_standing_grants.py"
        "::test_a_use_that_would_exceed_a_limit_is_refused_entirely",
    ),
}
