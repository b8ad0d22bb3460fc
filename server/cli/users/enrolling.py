"""How a one-time code is printed: the only time that anybody sees it."""

from server.cli.opening import OpenInstallation
from server.cli.output import moment, rfc3339
from server.model.users import User
from server.services.devices import enrolment
from server.services.users.enrolment_codes import IssuedCode


def code_document(admin: OpenInstallation, issued: IssuedCode) -> dict[str, object]:
    """The members of a document that carries a new code."""
    return {
        "enrolment_code": issued.code,
        "enrolment_url": enrolment.link(admin.issuer, issued.code),
        "expires_at": rfc3339(issued.expires_at),
    }


def code_lines(admin: OpenInstallation, user: User, issued: IssuedCode) -> list[str]:
    """The code, how long it works, and the command that uses it."""
    return [
        f"This code makes one terminal a device of {user.name}. It is shown once, works once, and",
        f"until {moment(issued.expires_at)} (15 minutes):",
        "",
        f"  {issued.code}",
        "",
        "On the machine where they decide:",
        f"  sayso-approver login {admin.issuer} --code {issued.code}",
        "or open, for the same with instructions:",
        f"  {enrolment.link(admin.issuer, issued.code)}",
    ]
