"""Reports and incidents: reporting a request, and looking into a report.

Owns: these pages and forms, as rows.
Never: what a report does; the API's rows say that.
"""
