"""Use cases of devices.

Owns: enrolment, terminals, passkeys, the device grant.
Never: signing in to apps (`sign_in`).
"""
