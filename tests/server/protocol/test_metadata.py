"""The members of the discovery document."""

from server.protocol import metadata


def test_the_discovery_document_has_no_empty_members():
    """RFC 8414 2: members without a value are omitted."""
    document = metadata.document("https://as", [], ["ES256"], introspection_alg="ES256")

    assert document["issuer"] == "https://as"
    assert document["backchannel_token_delivery_modes_supported"] == ["poll", "ping", "push"]
    assert document["backchannel_user_code_parameter_supported"] is True
    assert "authorization_details_types_supported" not in document
    assert all(value not in ([], None) for value in document.values())
