"""The forms about a person's user code."""

from typing import Final

from server.protocol.approvals import decisions
from server.protocol.ciba import user_codes
from server.protocol.forms import Form
from server.services.devices.statements import signed_subject
from server.web.calls import Document
from server.web.fields import Field
from server.web.form import FormAction, Signed, statement, texts
from server.web.visit import Visit


def _removal_body(form: Form) -> object:
    return {"code": None, **statement(form)}


def _code_statement(visit: Visit, body: Document) -> Signed:
    """The statement to sign: the code decides which agents may ask. Raises errors.Problem."""
    if body["code"] is not None:
        user_codes.check_new(body["code"])
    nonce = visit.statement_nonce()
    return Signed(decisions.USER_CODE, signed_subject(nonce, body["code"] or ""), nonce)


FORMS: Final = (
    FormAction(
        "/settings/user-code",
        "POST /api/user-code",
        "Set this user code",
        body=texts("code", "statement"),
        fields=(Field("code", "Code"),),
        page="/settings",
        signs=_code_statement,
        then="/settings?done=code",
    ),
    FormAction(
        "/settings/user-code/end",
        "POST /api/user-code",
        "Remove your user code",
        body=_removal_body,
        signs=_code_statement,
        then="/settings?done=codeless",
    ),
)
