"""The grants of the token endpoint, one file each.

Owns: what is particular to one grant.
Never: another grant; what all share is in `endpoint.py`.
"""
