"""The command about the audit log of the server.

Owns: what it prints.
Never: what is a change; the witness knows that.
"""
