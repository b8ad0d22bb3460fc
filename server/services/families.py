"""Ending what came of a code: refresh tokens, and the access tokens that came with each."""

from server.services import audit
from server.services.people_records import Family, Grant
from server.services.ports import Unit, View
from server.services.records import Consent, Entry


def end(tx: Unit, family_id: str) -> int:
    """End all refresh tokens of one code; how many access tokens were revoked with them."""
    if not tx.code_grants.end_family(family_id, tx.now):
        return 0
    issued = tx.code_grants.access_tokens(family_id)
    return sum(len(tx.delegations.revoke_tree(jti, tx.now)) for jti in issued)


def of_token(tx: View, token_hash: bytes) -> Family | None:
    """The family that a refresh token belongs to, whatever became of it."""
    token = tx.code_grants.token(token_hash)
    return None if token is None else tx.code_grants.family(token.family_id)


def end_of_app(tx: Unit, app_id: str) -> int:
    """The app was stopped or forgotten; how many access tokens were revoked."""
    return sum(end(tx, family) for family in tx.code_grants.families_of("app_id", app_id))


def end_of_user(tx: Unit, user_id: str) -> None:
    """The user was stopped: every browser is signed out, every app has to ask again."""
    end_of_sign_ins(tx, user_id)
    for family in tx.code_grants.families_of("user_id", user_id):
        end(tx, family)


def end_of_consent(tx: Unit, consent: Consent) -> int:
    """A consent is over, and so is what stands on it; how many access tokens were revoked."""
    families = tx.code_grants.families_of("user_id", consent.user_id)
    found = [family for one in families if (family := tx.code_grants.family(one)) is not None]
    return sum(end(tx, family.id) for family in found if _stands_on(family.grant, consent))


def _stands_on(grant: Grant, consent: Consent) -> bool:
    """Reports whether the app has this by the consent, for itself or for the agent that may act."""
    about_the_person = set(grant.openid) & set(consent.scopes)
    is_party = consent.client_id in {grant.app_id, grant.actor}
    return is_party and (consent.resource == grant.resource or bool(about_the_person))


def end_sign_in(tx: Unit, sign_in_id: str) -> bool:
    """Sign a browser out, and end what apps got through it; reports whether it was signed in."""
    if not tx.sign_ins.end(sign_in_id, tx.now):
        return False
    for family in tx.code_grants.families_of("sign_in_id", sign_in_id):
        end(tx, family)
    return True


def end_of_sign_ins(tx: Unit, user_id: str) -> int:
    """Sign all browsers of a user out; how many there were."""
    return sum(end_sign_in(tx, sign_in) for sign_in in tx.sign_ins.of_user(user_id))


def note_reuse(tx: Unit, family: Family, *, what: str) -> None:
    """Somebody brought what was used before: write it down."""
    audit.record(
        tx,
        Entry(
            type=audit.Type.GRANT_REUSED,
            actor=audit.by_client(family.grant.app_id),
            subject=family.grant.user_id,
            resource=family.grant.resource or None,
            decision="everything that came of it was revoked",
            cause=what,
            facts={"app": family.grant.app_id, "family": family.id},
        ),
    )
