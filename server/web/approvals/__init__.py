"""The pages about requests: inbox, request, limits, outcome, history, receipt.

Owns: their page rows and what they show.
Never: deciding a request; the scripts send signed decisions to the API.
"""
