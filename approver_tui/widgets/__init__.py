"""Widgets: everything that draws state and posts messages.

Owns: lines, lists, fields, bars. Text comes in as `SafeText` and is never parsed as markup.
Never: calls to the server, decisions, reading a clock; `approver_tui.screens` does that.
"""
