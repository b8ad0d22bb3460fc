"""The server processes: gunicorn's configuration, the gevent worker, the background loops.

Owns: processes, signals, shutdown, the limit of open files. The only user of gevent.
Never: routes and business rules; `server.app` wires those.
"""
