"""How the person is told that something waits, when they look elsewhere.

Owns: who is rung for what, how often, and by which bell, sequence or desktop.
Never: a word of an agent; what is said is fixed and counts risks. Never: Textual, HTTP, a clock.
"""
