"""The grants of the token endpoint, one file each.

Owns: what is specific to one grant.
Never: another grant; the shared steps are in `endpoint.py`.
"""
