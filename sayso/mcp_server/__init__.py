"""An MCP server that lets a model ask people for approval, for agents without code of their own.

Owns: its tools, and the texts that the model reads.
Never: doing what was approved, or showing a token.
"""
