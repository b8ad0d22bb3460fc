"""Use cases of devices.

Owns: enrollment, terminals, passkeys, the device grant.
Never: signing in to apps (`sign_in`).
"""
