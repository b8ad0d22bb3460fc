"""Widgets and lines of agents and apps.

Owns: showing state.
Never: a call to the server.
"""
