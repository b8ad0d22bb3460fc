"""Widgets: they draw state and post messages.

Owns: lines, lists, fields, bars. Text is passed in as `SafeText` and is never parsed as markup.
Never: calling the server, deciding, reading a clock; `approver_tui.screens` does these.
"""
