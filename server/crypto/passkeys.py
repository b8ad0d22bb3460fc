"""Passkeys: the only user of `webauthn`, for the one site that this installation is.

Owns: what an authenticator made and signed, held against origin, relying party and challenge.
Never: attestation. Which make of authenticator it is says nothing that we would act on.

The library takes five megabytes, so that it is loaded for the first passkey and not before.
"""

from typing import Final
from urllib.parse import urlsplit

from server.model.devices import MadePasskey, Passkey
from server.model.ports import BadToken
from server.protocol.devices import passkeys
from server.protocol.devices.passkeys import Assertion

_KINDS: Final = {
    "xy": {"kty": "EC", "crv": "P-256"},
    "x": {"kty": "OKP", "crv": "Ed25519"},
    "ne": {"kty": "RSA"},
}
"""By the members of a public key."""


class WebAuthn:
    """The port `Authenticators`. `issuer` is the URL under which browsers know us."""

    def __init__(self, issuer: str) -> None:
        parts = urlsplit(issuer)
        self._rp_id = parts.hostname or ""
        self._origin = f"{parts.scheme}://{parts.netloc}"

    def made(self, attestation: bytes, client_data: bytes, challenge: bytes) -> MadePasskey:
        """A passkey that was made for this challenge (WebAuthn 7.1). Raises `BadToken`."""
        import webauthn
        from webauthn.helpers import cose, structs

        # The library wants the credential's id twice; the one that counts is in the attestation.
        response = structs.AuthenticatorAttestationResponse(client_data, attestation)
        name = passkeys.encoded(b"-")
        try:
            found = webauthn.verify_registration_response(
                credential=structs.RegistrationCredential(name, b"-", response),
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
                supported_pub_key_algs=list(map(cose.COSEAlgorithmIdentifier, passkeys.ALGORITHMS)),
            )
        except Exception as error:  # whatever it says of a stranger's bytes is no
            raise BadToken(f"no passkey: {error}") from error
        if len(found.credential_id) > passkeys.MOST_CREDENTIAL_ID:
            raise BadToken("the credential id is too long")
        return MadePasskey(
            credential=found.credential_id,
            public_key=found.credential_public_key,
            signs=found.sign_count,
            synced=found.credential_device_type is structs.CredentialDeviceType.MULTI_DEVICE,
        )

    def signed(self, said: Assertion, passkey: Passkey) -> int:
        """How often the passkey says that it has signed (WebAuthn 7.2). Raises `BadToken`.

        The store compares the count, in the statement that keeps it.
        """
        import webauthn
        from webauthn.helpers import structs

        response = structs.AuthenticatorAssertionResponse(
            said.client_data, said.authenticator_data, said.signature
        )
        name = passkeys.encoded(said.credential)
        try:
            found = webauthn.verify_authentication_response(
                credential=structs.AuthenticationCredential(name, said.credential, response),
                expected_challenge=passkeys.challenge(said.payload),
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except Exception as error:  # likewise
            raise BadToken(f"not the passkey's word: {error}") from error
        return found.new_sign_count

    def public_jwk(self, passkey: Passkey) -> dict[str, str]:
        """Its public key (RFC 7517, RFC 8037), for whoever checks what it signed."""
        from webauthn.helpers import decode_credential_public_key

        found = decode_credential_public_key(passkey.public_key)
        members = [name for name in ("x", "y", "n", "e") if hasattr(found, name)]
        return {
            **_KINDS["".join(members)],
            **{name: passkeys.encoded(getattr(found, name)) for name in members},
        }
