"""The grants of the token endpoint, one file each.

Owns: what is specific to one grant.
Never: other grants; the shared steps are in `endpoint.py`.
"""
