"""Widgets: everything that draws state and posts messages.

Owns: lines, lists, fields, bars. Text comes in as `SafeText` and is never parsed as markup.
Never: a call to the server, a decision, a wall clock; `approver_tui.screens` acts.
"""
