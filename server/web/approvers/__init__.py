"""Who decides for whom: deputies and groups.

Owns: these pages and forms, as rows.
Never: who is eligible; the API's rows say that.
"""
