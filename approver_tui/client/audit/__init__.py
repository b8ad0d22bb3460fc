"""The audit log of the server, as this machine watches it.

Owns: the checkpoint that this machine keeps.
Never: trees and signatures; `server.audit_log` has them.
"""
