"""Consumed approvals with their executions, and the results that resources report.

Each approval has at most one execution, and each execution one unchangeable result.
"""

from server.model.approvals import Consumption, Outcome
from server.storage.approvals.tables import consumptions, outcomes
from server.storage.prepared import RecordRows, RecordTable


class Consumptions(RecordRows[Consumption, str]):
    """Consumed approvals in the database."""

    records = RecordTable(Consumption, consumptions)


class Outcomes(RecordRows[Outcome, str]):
    """Execution results in the database."""

    records = RecordTable(Outcome, outcomes)
