"""The claims of security event tokens, and the metadata of the transmitter."""

from dataclasses import replace

from server.protocol.tokens import security_events
from server.protocol.tokens.security_events import SecurityEvent

ISSUER = "https://sayso.example"
EVENT = SecurityEvent(
    id="one",
    resource="https://pay.example",
    subject="sayso_ag_one",
    initiator="admin",
    reason="agent_disabled",
    at=1_795_000_000_999,
)


def test_the_claims_name_the_agent_and_the_api():
    """RFC 8417 2.2, CAEP 3.1: the event has its subject and audience, and times in seconds."""
    assert security_events.claims(ISSUER, EVENT) == {
        "iss": ISSUER,
        "aud": "https://pay.example",
        "jti": "one",
        "iat": 1_795_000_000,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "sayso_ag_one"},
        "events": {
            security_events.SESSION_REVOKED: {
                "event_timestamp": 1_795_000_000,
                "initiating_entity": "admin",
                "reason_admin": {"en": "The agent was disabled or deleted."},
            }
        },
    }


def test_an_event_cannot_pass_for_an_access_token():
    """SSF 4.1: an event has neither `sub` nor `exp`, whatever its reason."""
    for reason in security_events.REASONS:
        claims = security_events.claims(ISSUER, replace(EVENT, reason=reason))
        assert not {"sub", "exp", "scope", "client_id"} & claims.keys()


def test_the_configuration_names_poll_delivery_only():
    """SSF 7.1: the metadata lists only the supported delivery method."""
    assert security_events.configuration(ISSUER) == {
        "spec_version": "1_0",
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/jwks",
        "delivery_methods_supported": ["urn:ietf:rfc:8936"],
        "configuration_endpoint": f"{ISSUER}/ssf/stream",
        "default_subjects": "ALL",
    }


def test_a_stream_is_for_the_resources_of_its_server():
    """A single audience is a string, and several are a list."""
    one = security_events.stream(ISSUER, "sayso_rs_one", ("https://pay.example",))
    assert (one["stream_id"], one["aud"]) == ("sayso_rs_one", "https://pay.example")
    assert one["delivery"] == {"method": "urn:ietf:rfc:8936", "endpoint_url": f"{ISSUER}/ssf/poll"}
    several = security_events.stream(
        ISSUER, "sayso_ag_one", ("https://a.example", "https://b.example")
    )
    assert several["aud"] == ["https://a.example", "https://b.example"]
