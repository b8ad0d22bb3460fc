"""SHOW STATE, POST MESSAGES: everything that draws.

Owns: lines, lists, fields, bars. Text comes in as `SafeText` and is never read as markup.
Never: a call to the server, a decision, a wall clock. The neighbour that acts is
`approver_tui.screens`.
"""
