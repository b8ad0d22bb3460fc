"""Watches the audit log of the server.

Owns: the checkpoint that this machine keeps.
Never: trees and signatures; `server.audit_log` has them.
"""
