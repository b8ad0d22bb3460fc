"""Replacements for what is far away: servers, push services, proxies, clocks."""
