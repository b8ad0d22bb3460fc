"""The screens and panels for notifications.

Owns: screens: own state, messages, calls to the client.
Never: a rule of the server.
"""
