"""Notifications: mutes, quiet hours, and how to install the pages.

Owns: these pages and forms.
Never: a rule; the API has those.
"""
