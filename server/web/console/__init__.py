"""The console at `/admin`: the administration API, drawn as pages.

Owns: which pages there are, what each asks the API, what each form sends to it.
Never: a rule of its own. Who may what, and what takes a signature, is the API's, row by row.
"""
