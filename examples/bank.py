"""A bank's MCP server that does not know Sayso: it accepts one key, which only the gateway has.

BANK_KEY='Bearer …' uvicorn --app-dir examples bank:app --port 9000
"""

import json
import os
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

LEDGER = Path("ledger.jsonl")
KEY = os.environ["BANK_KEY"].encode()

bank = MCPServer("bank", log_level="WARNING")


@bank.tool(annotations=ToolAnnotations(read_only_hint=True))
def balance() -> str:
    """Read the balance."""
    return "EUR 9,000.00"


@bank.tool()
def transfer(payee: str, account: str, amount: dict) -> str:
    """Transfer an amount, such as {"minor": 482000, "currency": "EUR"}, to an account."""
    with LEDGER.open("a") as ledger:
        ledger.write(json.dumps({"payee": payee, "account": account, "amount": amount}) + "\n")
    return f"Transferred {amount['minor']} to {payee}."


inside = bank.streamable_http_app()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Let in callers with the key."""
    if scope["type"] == "http" and (b"authorization", KEY) not in scope["headers"]:
        await PlainTextResponse("Who are you?", 401)(scope, receive, send)
    else:
        await inside(scope, receive, send)
