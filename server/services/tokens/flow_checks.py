"""What a code or refresh token stands on, judged as things are now."""

from server.model.clients import App
from server.model.sign_in import Grant
from server.model.store import Unit
from server.model.users import User
from server.protocol import errors
from server.services.resources import targets
from server.services.tokens.app_tokens import AccessTokenTerms

_GONE = "What this stood on is gone. Let the person sign in again."


def person_now(tx: Unit, grant: Grant) -> User:
    """The person, if they may still get anything. Raises errors.InvalidGrant."""
    user = tx.directory.user(grant.user_id)
    sign_in = tx.sign_ins.get(grant.sign_in_id)
    ended = sign_in is not None and sign_in.ended_at is not None
    if user is None or not user.enabled or ended:
        raise errors.InvalidGrant(_GONE)
    return user


def rights_now(tx: Unit, app: App, grant: Grant, part: AccessTokenTerms, *, userinfo: str) -> None:
    """The app, its agent and the consents allow this part still. Raises errors.InvalidGrant.

    1. The scopes lie within the app's ceiling.  2. Every consent is in force.  3. The agent that
    may act is there. What was signed for this grant alone is judged by `Rights` instead of 1.
    """
    needs = []
    if part.openid:
        needs.append((app.id, userinfo, part.openid))
    if part.scope and grant.approval_id is None:
        try:
            target = targets.resolve(tx.directory, app, part.resource, part.scope)
            targets.check_required_types(target, frozenset())
        except errors.ProtocolError as error:
            raise errors.InvalidGrant(_GONE, detail=error.description) from error
        needs.append((app.id, part.resource, part.scope))
    if grant.actor is not None and part.scope:
        agent = tx.directory.agent(grant.actor)
        if agent is None or not agent.active(tx.now):
            raise errors.InvalidGrant(_GONE, detail="the agent is not there")
        needs.append((grant.actor, part.resource, part.scope))
    for client, resource, scope in needs:
        consent = tx.consents.live(grant.user_id, client, resource, tx.now)
        if consent is None or not set(scope) <= set(consent.scopes):
            raise errors.InvalidGrant(_GONE, detail="a consent is over")
