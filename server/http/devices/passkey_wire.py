"""Passkeys as JSON."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from server.http.devices.device_wire import Device
from server.http.users.user_wire import User
from server.http.wire import StrictBody
from server.protocol.devices import passkeys
from server.services.devices.passkeys import NewPasskey, PasskeyChallenge

_BASE64URL = r"^[A-Za-z0-9_-]+$"


class PasskeyCode(StrictBody):
    """The one-time code for creating a passkey."""

    code: str = Field(max_length=128)


class PasskeyRegistration(StrictBody):
    """A new passkey (`PublicKeyCredential.toJSON()`)."""

    code: str = Field(max_length=128)
    name: str = Field(min_length=1, max_length=64)
    attestation: str = Field(pattern=_BASE64URL, max_length=65_536)
    client_data: str = Field(pattern=_BASE64URL, max_length=8_192)

    def record(self) -> NewPasskey:
        """Return the decoded passkey. Raises ValueError for invalid base64url."""
        return NewPasskey(
            name=self.name,
            attestation=passkeys.decode_base64url(self.attestation),
            client_data=passkeys.decode_base64url(self.client_data),
        )


class PasskeyCreationOptions(BaseModel):
    """The options for `navigator.credentials.create`."""

    rp: dict[str, str]
    user: dict[str, str]
    challenge: str
    pubKeyCredParams: list[dict[str, Any]]  # noqa: N815  # as in WebAuthn
    excludeCredentials: list[dict[str, str]]  # noqa: N815  # as above
    authenticatorSelection: dict[str, Any]  # noqa: N815  # as above
    attestation: Literal["none"]
    timeout: int


class PasskeySignInOptions(BaseModel):
    """The text that a browser signs to sign in. `challenge` is the SHA-256 hash of `text`."""

    text: str
    challenge: str
    rp_id: str


class PasskeyAssertion(StrictBody):
    """A passkey signature of five parts, described in `docs/reference/signing.md`."""

    assertion: str = Field(max_length=16_384)


class SignedIn(BaseModel):
    """The user who is signed in to this browser."""

    user: User


class FeedTicket(BaseModel):
    """The first frame that a page sends on the feed. It can be used once."""

    ticket: str
    expires_in: int


class RegisteredPasskey(BaseModel):
    """The new device. This browser is now signed in with it."""

    device: Device


def offer(passkey_challenge: PasskeyChallenge, rp_id: str) -> PasskeySignInOptions:
    """Return a challenge as JSON."""
    return PasskeySignInOptions(
        text=passkey_challenge.text,
        challenge=passkeys.encode_base64url(passkey_challenge.challenge),
        rp_id=rp_id,
    )
