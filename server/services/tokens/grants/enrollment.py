"""The enrollment grant (`urn:sayso:grant-type:enrollment`): a one-time code starts a session."""

from dataclasses import dataclass

from server.model.ports import Secrets
from server.model.store import Unit
from server.protocol import errors
from server.services.devices import enrollment
from server.services.devices.enrollment import BadCode, split_code
from server.services.devices.sessions import start_session
from server.services.tokens.endpoint import TokenRequest, TokenResult
from server.services.tokens.issuing import TokenIssuer
from server.services.users.dpop_proofs import Proofs


@dataclass(frozen=True, slots=True)
class EnrollmentGrant:
    """Redeems a code once. Five wrong secrets invalidate the code; a second use raises an alarm."""

    secrets: Secrets
    proofs: Proofs
    issuing: TokenIssuer

    def exchange(self, tx: Unit, request: TokenRequest) -> TokenResult:
        """Return the session's first tokens. Raises errors.ProtocolError.

        1. The code exists. 2. The terminal proves its key. 3. The secret is right; otherwise, the
        failed attempt is counted. 4. One conditional UPDATE marks the code as used.
        """
        try:
            code_id, secret = split_code(request.form.require("code"))
        except BadCode as error:
            raise errors.InvalidGrant(enrollment.REFUSED) from error
        code = enrollment.find_code(tx, code_id, peer=request.peer)
        if isinstance(code, errors.ProtocolError):
            return code
        jwk = self.proofs.terminal(tx, request.proofs)
        if (refusal := enrollment.check_secret(tx, self.secrets, code, secret)) is not None:
            return refusal
        if not enrollment.use_code(tx, code):
            return errors.InvalidGrant(enrollment.REFUSED)
        session, refresh = start_session(
            tx, self.secrets, jwk, user_id=code.user_id, code_id=code.id
        )
        return self.issuing.for_session(tx, session, refresh)
