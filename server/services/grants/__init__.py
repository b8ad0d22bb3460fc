"""The grants of the token endpoint, one file each; they do not know each other.

Owns: what a client must show to get tokens by this grant.
Never: the steps that all grants share; those are `server.services.token`.
"""
