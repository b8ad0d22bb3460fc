"""Alerts: how the user is notified of waiting requests while they look elsewhere.

Owns: which requests alert, how often, and whether by bell, terminal sequence or desktop.
Never: showing text from an agent; the text is fixed and counts risks. Also never: Textual, HTTP, a
clock.
"""
