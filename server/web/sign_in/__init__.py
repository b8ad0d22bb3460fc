"""Signing in to apps and to the pages, consenting, signing out.

Owns: these pages and forms, as rows.
Never: a decision that a device has to sign.
"""
