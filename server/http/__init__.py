"""HTTP IN, HTTP OUT: the routes as one table, plain functions behind them, Flask around them.

Owns: reading requests, writing answers, translating errors; the live feed's socket.
Never: a rule or a row. Its adapters are handed to it by `server.app`; it imports none of them.
"""
