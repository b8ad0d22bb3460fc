"""The proxy guide has the same numbers as the server."""

import re

import pytest

from server.http import feed
from server.http.route import MAX_BODY_BYTES
from server.protocol.ciba.requests import MAX_WAIT_SECONDS
from server.protocol.notifications import web_push
from server.serving import worker
from tests.support.checks.source import ROOT

_GUIDE = (ROOT / "docs" / "behind-a-proxy.md").read_text("utf-8")
_BLOCKS = dict(re.findall(r"```(nginx|caddyfile)\n(.*?)```", _GUIDE, re.DOTALL))
_WAITS = {"nginx": r"proxy_read_timeout +(\d+)s", "caddyfile": r"response_header_timeout (\d+)s"}
_KEEPS = {"nginx": r"keepalive_timeout +(\d+)s", "caddyfile": r"keepalive (\d+)s"}


@pytest.mark.parametrize("proxy", _WAITS)
def test_a_proxy_waits_longer_than_a_held_poll_and_a_silent_feed(proxy):
    """A proxy that waited less would answer 504 itself."""
    waits = int(re.search(_WAITS[proxy], _BLOCKS[proxy])[1])
    assert waits > max(MAX_WAIT_SECONDS, feed._PING_SECONDS)


@pytest.mark.parametrize("proxy", _KEEPS)
def test_a_proxy_closes_idle_connections_before_the_server_does(proxy):
    """Otherwise a proxy could send a request on a connection that the server is closing."""
    assert int(re.search(_KEEPS[proxy], _BLOCKS[proxy])[1]) < worker._IDLE_SECONDS


def test_nginx_upgrades_the_feed_and_forwards_long_bodies():
    """By default nginx does neither."""
    nginx = _BLOCKS["nginx"]
    assert f"location = {feed.PATH} {{" in nginx
    assert int(re.search(r"client_max_body_size (\d+)k", nginx)[1]) * 1024 > MAX_BODY_BYTES


def test_the_text_of_the_guide_has_the_same_numbers():
    """Readers with other proxies use the numbers in the text."""
    assert f"pings it every {feed._PING_SECONDS} seconds" in _GUIDE
    assert f"wait longer than {MAX_WAIT_SECONDS} seconds" in _GUIDE
    assert f"before {worker._IDLE_SECONDS:.0f} seconds" in _GUIDE
    assert f"up to {MAX_BODY_BYTES // 1024} KiB" in _GUIDE


def test_the_guide_names_every_push_service_that_is_called():
    """Operators need these hosts for their firewall rules."""
    hosts = {*web_push._HOSTS, *(suffix.removeprefix(".") for suffix in web_push._HOST_SUFFIXES)}
    assert {host for host in hosts if f"`{host}`" not in _GUIDE} == set()
