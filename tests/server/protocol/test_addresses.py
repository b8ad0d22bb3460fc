"""Addresses that count as one."""

import pytest

from server.protocol import addresses


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::2:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_address_counts_by_its_network(address, network):
    """A host can use a whole /64 network, so its attempts are counted together."""
    assert addresses.network(address) == network
