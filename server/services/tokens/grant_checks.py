"""Checks whether a code or refresh token can still be exchanged for tokens."""

from server.model.clients import App
from server.model.sign_in import Grant
from server.model.store import Unit
from server.model.users import User
from server.protocol import errors
from server.services.resources import targets
from server.services.tokens.app_issuing import AccessTokenTerms

_GONE = "The person's access has ended. Have them sign in again."


def check_user(tx: Unit, grant: Grant) -> User:
    """Return the user, if they and their sign-in are still active. Raises errors.InvalidGrant."""
    user = tx.directory.user(grant.user_id)
    sign_in = tx.sign_ins.get(grant.sign_in_id)
    is_signed_out = sign_in is not None and sign_in.ended_at is not None
    if user is None or not user.enabled or is_signed_out:
        raise errors.InvalidGrant(_GONE)
    return user


def check_rights(
    tx: Unit, app: App, grant: Grant, terms: AccessTokenTerms, *, userinfo: str
) -> None:
    """Check that the app, its agent and the consents still allow this. Raises errors.InvalidGrant.

    Checks, in order, that: 1. the app's permissions include the scopes; 2. the agent that may act
    is enabled; 3. every consent is valid. For a grant with an approval, `ApprovalChecks` replaces
    step 1.
    """
    required_consents = []
    if terms.openid:
        required_consents.append((app.id, userinfo, terms.openid))
    if terms.scope and grant.approval_id is None:
        try:
            target = targets.resolve(tx.directory, app, terms.resource, terms.scope)
            targets.check_required_types(target, frozenset())
        except errors.ProtocolError as error:
            raise errors.InvalidGrant(_GONE, detail=error.description) from error
        required_consents.append((app.id, terms.resource, terms.scope))
    if grant.actor is not None and terms.scope:
        agent = tx.directory.agent(grant.actor)
        if agent is None or not agent.active(tx.now):
            raise errors.InvalidGrant(_GONE, detail="the agent is missing or disabled")
        required_consents.append((grant.actor, terms.resource, terms.scope))
    for client, resource, scope in required_consents:
        consent = tx.consents.live(grant.user_id, client, resource, tx.now)
        if consent is None or not set(scope) <= set(consent.scopes):
            raise errors.InvalidGrant(_GONE, detail="a consent has ended")
