"""The command about the audit log of the server."""
