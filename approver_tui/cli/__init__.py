"""The `sayso-approver` command: parse, call the client, print.

Owns: verbs, exit codes, plain lines and `--json` documents.
Never: HTTP, keys or rules; those are the client's.
"""
