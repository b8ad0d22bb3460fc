"""The screens and panels for reports.

Owns: screens: own state, messages, calls to the client.
Never: a rule of the server.
"""
