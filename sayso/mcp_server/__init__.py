"""An MCP server with which a model asks people for approval, for agents without code of their own.

Owns: its tools, and the texts that the model reads.
Never: doing what was approved, or showing a token.
"""
