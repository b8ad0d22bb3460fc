"""Notifications: mutes, quiet hours, and how to install the pages.

Owns: these pages and forms.
Never: business rules; the API has them.
"""
