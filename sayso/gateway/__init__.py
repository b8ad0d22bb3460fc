"""The gateway: a process in front of any MCP server.

It signs clients in, shows each client the tools that its scopes allow, asks the person to approve
risky calls, with the arguments as facts, and forwards an approved call once.

Owns: reading JSON-RPC messages, the file that maps tools, the connection to the upstream server.
Never: passing on the caller's token, interpreting what a tool says, or deciding for a person.
"""
