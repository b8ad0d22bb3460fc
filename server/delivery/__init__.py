"""OUTBOUND MESSAGES: the outbox worker and its channels.

Owns: leases, back-off, dead letters, and `egress.py`, which makes all outbound requests.
Never: deciding what to send; a unit of work does that by adding an outbox message.
"""
