"""Replacements for external parts: servers, push services, proxies, clocks."""
