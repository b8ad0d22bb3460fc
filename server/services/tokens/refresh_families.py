"""Revokes refresh token families: all refresh tokens from one code, and their access tokens."""

from server.model.audit import Entry
from server.model.consents import Consent
from server.model.reactions import (
    AppDeactivated,
    ConsentEnded,
    DeviceRevoked,
    Ended,
    PasswordChanged,
    UserDisabled,
)
from server.model.sign_in import Family, Grant
from server.model.store import Unit, View
from server.services.audit import audit


def end(tx: Unit, family_id: str) -> int:
    """Revoke a family; return how many access tokens were revoked with it."""
    if not tx.code_grants.end_family(family_id, tx.now):
        return 0
    access_token_ids = tx.code_grants.access_tokens(family_id)
    return sum(len(tx.delegations.revoke_tree(jti, tx.now)) for jti in access_token_ids)


def of_token(view: View, token_hash: bytes) -> Family | None:
    """Return the family of a refresh token, revoked or not."""
    token = view.code_grants.token(token_hash)
    return None if token is None else view.code_grants.family(token.family_id)


def app_deactivated(tx: Unit, event: AppDeactivated) -> None:
    """Revoke every family of the app."""
    for family in tx.code_grants.families_of("app_id", event.app_id):
        end(tx, family)


def user_disabled(tx: Unit, event: UserDisabled) -> None:
    """Sign the user out of every browser, and revoke every family of the user."""
    _end_sign_ins(tx, event.user.id)
    for family in tx.code_grants.families_of("user_id", event.user.id):
        end(tx, family)


def consent_ended(tx: Unit, event: ConsentEnded) -> Ended:
    """Revoke the families that need the consent; return how many access tokens were revoked."""
    consent = event.consent
    families = _of_user(tx, consent.user_id)
    ended = [end(tx, family.id) for family in families if _depends_on(family.grant, consent)]
    return Ended(tokens=sum(ended))


def password_changed(tx: Unit, event: PasswordChanged) -> Ended:
    """Sign the user out of every browser; return the number of ended sign-ins.

    Also revokes the families of older sign-ins, whose rows were deleted when they expired.
    """
    sign_ins = _end_sign_ins(tx, event.user_id)
    for family in _of_user(tx, event.user_id):
        if family.grant.sign_in_id:
            end(tx, family.id)
    return Ended(sign_ins=sign_ins)


def device_revoked(tx: Unit, event: DeviceRevoked) -> None:
    """Sign out the browsers that used the device's passkey, and revoke the families from it."""
    for sign_in_id in tx.sign_ins.of_device(event.user_id, event.device_id):
        end_sign_in(tx, sign_in_id)
    for family in _of_user(tx, event.user_id):
        if family.grant.device_id == event.device_id:
            end(tx, family.id)


def _of_user(tx: Unit, user_id: str) -> list[Family]:
    """Return the user's families that were not revoked."""
    families = map(tx.code_grants.family, tx.code_grants.families_of("user_id", user_id))
    return [*filter(None, families)]


def _depends_on(grant: Grant, consent: Consent) -> bool:
    """Return whether the grant needs this consent, for the app or for the agent that may act."""
    identity_scopes = set(grant.openid) & set(consent.scopes)
    is_its_client = consent.client_id in {grant.app_id, grant.actor}
    # A signed app action replaces the consent for the resource.
    is_its_resource = consent.resource == grant.resource and grant.approval_id is None
    return is_its_client and (is_its_resource or bool(identity_scopes))


def end_sign_in(tx: Unit, sign_in_id: str) -> bool:
    """Sign a browser out and revoke its families; return whether it was signed in."""
    if not tx.sign_ins.end(sign_in_id, tx.now):
        return False
    for family in tx.code_grants.families_of("sign_in_id", sign_in_id):
        end(tx, family)
    return True


def _end_sign_ins(tx: Unit, user_id: str) -> int:
    return sum(end_sign_in(tx, sign_in) for sign_in in tx.sign_ins.of_user(user_id))


def record_reuse(tx: Unit, family: Family, *, kind: str) -> None:
    """Record that a used code or refresh token was sent again."""
    tx.audit.add(
        Entry(
            type=audit.Type.GRANT_REUSED,
            actor=audit.by_client(family.grant.app_id),
            subject=family.grant.user_id,
            resource=family.grant.resource or None,
            decision="everything derived from it was revoked",
            cause=kind,
            facts={"app": family.grant.app_id, "family": family.id},
        ),
    )
