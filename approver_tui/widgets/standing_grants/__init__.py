"""Widgets and lines for standing grants.

Owns: showing state.
Never: calling the server.
"""
