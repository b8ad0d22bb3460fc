"""Prints an enrollment code, which is shown once."""

from server.cli.opening import OpenInstallation
from server.cli.output import moment, rfc3339
from server.lazy_imports import lazily

with lazily():
    from server.model.users import User
    from server.services.devices import enrollment
    from server.services.users.enrollment_codes import IssuedCode


def code_document(admin: OpenInstallation, issued: IssuedCode) -> dict[str, object]:
    """Return the members of a JSON document with a new code."""
    return {
        "enrollment_code": issued.code,
        "enrollment_url": enrollment.link(admin.issuer, issued.code),
        "expires_at": rfc3339(issued.expires_at),
    }


def code_lines(admin: OpenInstallation, user: User, issued: IssuedCode) -> list[str]:
    """Return the code, its lifetime and the command that uses it."""
    return [
        (
            f"{user.name} can enroll one device with this code. It is shown once, works once, and "
            "expires at"
        ),
        f"{moment(issued.expires_at)} (in 15 minutes):",
        "",
        f"  {issued.code}",
        "",
        "To approve in a terminal, run this on that machine:",
        f"  sayso-approver login {admin.issuer} --code {issued.code}",
        "To approve in a browser, open this page there:",
        f"  {enrollment.link(admin.issuer, issued.code)}",
    ]
