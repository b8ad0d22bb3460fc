"""Requests on the pages: what waits, one request, its limits, its outcome, the history, receipts.

Owns: their rows and what they show.
Never: an answer; the scripts send those to the API, signed.
"""
