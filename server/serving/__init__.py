"""The server's process: gunicorn's shape, the gevent worker, the background loops.

Owns: processes, signals, the end of a process, the limit of open files; the only gevent.
Never: a route or a rule; `server.app` wires those.
"""
