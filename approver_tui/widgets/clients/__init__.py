"""Widgets and lines of agents and apps.

Owns: showing state.
Never: calls to the server.
"""
