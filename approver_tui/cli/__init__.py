"""The `sayso-approver` command: parse, call the client, print.

Owns: commands, exit codes, plain lines and `--json` documents.
Never: HTTP, keys or rules; the client has those.
"""
