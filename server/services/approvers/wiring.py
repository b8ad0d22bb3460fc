"""Builds the services of approvers."""

from server.services.adapters import Adapters
from server.services.approvers.deputies import Deputies
from server.services.approvers.substitutes import Substitutes
from server.services.devices.statements import Statements
from server.services.policy.evaluation import Evaluator


class ApproverServices:
    """The services that ask deputies and backups, and name deputies."""

    def __init__(self, given: Adapters, evaluator: Evaluator, statements: Statements) -> None:
        self.substitutes = Substitutes(evaluator, given.server_policy)
        self.deputies = Deputies(given.store, given.secrets, statements, self.substitutes)
