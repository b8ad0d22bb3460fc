"""Signed decisions and statements with a signature of a different key."""

import json

from server.protocol.base64url import decode
from tests.support.builders.passkey import SoftPasskey
from tests.support.inputs.handmade_jwts import new_key


def forged(signed: str) -> str:
    """Return the same content, signed with a different key."""
    parts = signed.split(".")
    if len(parts) == 3:
        head, body = (json.loads(decode(part)) for part in parts[:2])
        return new_key("ES256", head["kid"]).sign(body, typ=head["typ"])
    credential, payload, *_ = (decode(part) for part in parts)
    origin = json.loads(decode(parts[3]))["origin"]
    return SoftPasskey(origin=origin, credential=credential).assertion(payload)
