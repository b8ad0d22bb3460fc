"""From the fields of a form to the body of a request. ValueError says what is wrong with a field.

Owns: bodies that are more, or less, than fields of a table. Never: a rule; the API has those.
"""

import json
from typing import Any

from server.protocol.forms import Form
from server.web.console import fields


def overlap(form: Form) -> object:
    """How long old secrets go on working."""
    return {"overlap": _number(form, "overlap") or 0}


def stops(_form: Form) -> object:
    """A client that gets nothing from now on."""
    return {"enabled": False}


def goes_on(_form: Form) -> object:
    """A client that gets tokens again."""
    return {"enabled": True}


def alg(form: Form) -> object:
    """With what the new key signs."""
    return {"alg": form.get("alg") or ""}


def reason(form: Form) -> object:
    """Why a request is withdrawn."""
    return {"reason": form.get("reason") or ""}


def note(form: Form) -> object:
    """What came of looking into a report."""
    return {"note": form.get("note")}


def document(form: Form) -> bytes:
    """The file of an action type, as it is sent."""
    return _text(form, "document").encode()


def trial(form: Form) -> object:
    """A file that is looked at, with details where somebody wrote any."""
    text = form.get("details")
    return {
        "document": _text(form, "document"),
        "details": None if text is None else fields.as_json("details", text),
    }


def policy(form: Form) -> object:
    """The next rule set."""
    return {"document": _text(form, "document")}


def table(form: Form) -> object:
    """Cases for the rules that stand in the form."""
    return {"table": _text(form, "table"), "policy": _text(form, "document")}


def replay(form: Form) -> object:
    """Days of the past for the rules that stand in the form."""
    return {"last": 86_400 * (_number(form, "days") or 7), "policy": _text(form, "document")}


def case(form: Form) -> object:
    """One thing that an agent might ask for."""
    details = form.get("authorization_details")
    body: dict[str, Any] = {
        "agent": form.get("agent") or "",
        "way": form.get("way") or "request",
        "scope": (form.get("scope") or "").split(),
    }
    if details is not None:
        body["authorization_details"] = _json(details)
    named = {name: form.get(name) for name in ("user", "at")}
    if named["user"]:
        body["user"] = named["user"]
    if named["at"]:
        body["resource"] = named["at"]
    return body


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"The details are not JSON: {error}") from None


def _text(form: Form, name: str) -> str:
    """What was typed, with the line ends of files."""
    return (form.get(name) or "").replace("\r\n", "\n")


def _number(form: Form, name: str) -> int | None:
    text = form.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{name.replace('_', ' ')} must be a whole number")
    return int(text)
