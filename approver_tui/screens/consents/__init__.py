"""The screens and panels for consents.

Owns: screens: own state, messages, calls to the client.
Never: a rule of the server.
"""
