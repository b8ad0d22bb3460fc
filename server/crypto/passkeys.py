"""Verification of passkeys (WebAuthn). Only this module uses the `webauthn` library.

Owns: the verification of registrations and assertions: origin, relying party and challenge.
Never: attestation, because any authenticator model is accepted.

The library needs 5 MB of memory, so it is imported on first use.
"""

from typing import Final
from urllib.parse import urlsplit

from server.model.devices import CreatedPasskey, Passkey
from server.model.ports import BadToken
from server.protocol.devices import passkeys
from server.protocol.devices.passkeys import Assertion

_KINDS: Final = {
    "xy": {"kty": "EC", "crv": "P-256"},
    "x": {"kty": "OKP", "crv": "Ed25519"},
    "ne": {"kty": "RSA"},
}
"""Members of a public key → its JWK type."""


class WebAuthn:
    """The adapter for the `Authenticators` port. `issuer` is the origin of our pages."""

    def __init__(self, issuer: str) -> None:
        parts = urlsplit(issuer)
        self._rp_id = parts.hostname or ""
        self._origin = f"{parts.scheme}://{parts.netloc}"

    def verify_registration(
        self, attestation: bytes, client_data: bytes, challenge: bytes
    ) -> CreatedPasskey:
        """Verify the registration of a passkey (WebAuthn 7.1). Raises `BadToken`."""
        import webauthn
        from webauthn.helpers import cose, structs

        # The library requires a credential ID here, but uses the one in the attestation.
        response = structs.AuthenticatorAttestationResponse(client_data, attestation)
        name = passkeys.encode_base64url(b"-")
        try:
            registration = webauthn.verify_registration_response(
                credential=structs.RegistrationCredential(name, b"-", response),
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
                supported_pub_key_algs=list(map(cose.COSEAlgorithmIdentifier, passkeys.ALGORITHMS)),
            )
        except Exception as error:  # any exception means invalid input
            raise BadToken(f"invalid registration: {error}") from error
        if len(registration.credential_id) > passkeys.MAX_CREDENTIAL_ID:
            raise BadToken("the credential id is too long")
        return CreatedPasskey(
            credential=registration.credential_id,
            public_key=registration.credential_public_key,
            signs=registration.sign_count,
            synced=registration.credential_device_type is structs.CredentialDeviceType.MULTI_DEVICE,
        )

    def verify_assertion(self, assertion: Assertion, passkey: Passkey) -> int:
        """Verify an assertion and return its sign count (WebAuthn 7.2). Raises `BadToken`.

        The store compares the count with the previous one when it saves it.
        """
        import webauthn
        from webauthn.helpers import structs

        response = structs.AuthenticatorAssertionResponse(
            assertion.client_data, assertion.authenticator_data, assertion.signature
        )
        name = passkeys.encode_base64url(assertion.credential)
        try:
            verified = webauthn.verify_authentication_response(
                credential=structs.AuthenticationCredential(name, assertion.credential, response),
                expected_challenge=passkeys.challenge(assertion.payload),
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except Exception as error:  # as above
            raise BadToken(f"invalid assertion: {error}") from error
        return verified.new_sign_count

    def public_jwk(self, passkey: Passkey) -> dict[str, str]:
        """Return the public key as a JWK (RFC 7517, RFC 8037)."""
        from webauthn.helpers import decode_credential_public_key

        key = decode_credential_public_key(passkey.public_key)
        members = [name for name in ("x", "y", "n", "e") if hasattr(key, name)]
        return {
            **_KINDS["".join(members)],
            **{name: passkeys.encode_base64url(getattr(key, name)) for name in members},
        }
