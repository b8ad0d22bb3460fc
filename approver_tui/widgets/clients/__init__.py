"""Widgets and lines for agents and apps.

Owns: showing state.
Never: calling the server.
"""
