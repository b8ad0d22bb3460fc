"""Notifications: mutes, quiet hours, and how to install the pages.

Owns: these pages and forms, as rows.
Never: when somebody is notified; the API's rows say that.
"""
