"""The recipes work as printed, with the real frameworks and without a model."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import Entries
from approver_tui.state.approvals.narrowing import Narrowing, read_change
from tests.support.builders.ceremonies import typed_fact
from tests.support.clients.kit import approve, next_request, run_in_background
from tests.support.clients.terminal import PIN, Terminal, terminal
from tests.support.clients.third_party import AGENT_FRAMEWORKS
from tests.support.inputs.doc_pages import DocPage
from tests.support.servers.server import ROOT, LiveServer, new_server

PAYMENT = {
    "payee": "Nordwind",
    "account": "DE89370400440532013000",
    "amount": {"minor": 482_000, "currency": "EUR"},
}
_PYDANTIC_AI = """
import asyncio
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel

def model(messages, info):
    answers = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    part = TextPart(answers[0].content) if answers else ToolCallPart("pay", PAYMENT)
    return ModelResponse([part])

async def main():
    for _ in range(3):
        print((await agent.run("Pay.", model=FunctionModel(model))).output)

asyncio.run(main())
"""
_OPENAI_AGENTS = """
import asyncio
from agents import Model, ModelResponse, Usage, set_tracing_disabled
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage
from openai.types.responses import ResponseOutputText

class Scripted(Model):
    async def get_response(self, system_instructions, input, *_, **__):
        last = input[-1]
        if last.get("type") == "function_call_output":
            text = ResponseOutputText(annotations=[], text=last["output"], type="output_text")
            output = ResponseOutputMessage(
                id="m", content=[text], role="assistant", status="completed", type="message"
            )
        else:
            output = ResponseFunctionToolCall(
                arguments=json.dumps(PAYMENT), call_id="c", name="pay", type="function_call"
            )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *_, **__):
        raise NotImplementedError

set_tracing_disabled(True)
agent = Agent("payer", model=Scripted(), tools=[pay])

async def main():
    for _ in range(3):
        print(await run(agent, [{"role": "user", "content": "Pay."}]))

asyncio.run(main())
"""
_LANGGRAPH = """
for thread in ("first", "second", "third"):
    print(run({"payment": PAYMENT}, thread)["result"])
"""
_FRAMEWORKS = {
    "Pydantic AI": _PYDANTIC_AI,
    "OpenAI Agents": _OPENAI_AGENTS,
    "LangGraph": _LANGGRAPH,
}

_LESS = {"OpenAI Agents": "Narrowed. Call again with: "}
"""The text that a model reads if the framework does not make the smaller payment."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that the commands of the page prepare."""
    with new_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def ana(server: LiveServer) -> Terminal:
    """The user of the page, with a device."""
    return terminal(server, *server.user("ana"))


@pytest.fixture(scope="module")
def environment(server: LiveServer, ana: Terminal) -> dict[str, str]:
    """The environment variables of the page's agent, after its commands were run."""
    page = DocPage("docs/recipes.md")
    (server.folder / "command.json").write_text(page.text("json"))
    with contextlib.chdir(server.folder):
        client_id, secret = (
            command for command in page.commands(server) if command[6:8] in {"ag", "cs"}
        )
    assert ana.waiting() == ()
    return {
        **server.environment,
        "SAYSO_ISSUER": server.url,
        "SAYSO_AGENT_ID": client_id,
        "SAYSO_AGENT_SECRET": secret,
    }


def _block(heading: str, kind: str) -> str:
    """Return the first block of this kind below a heading."""
    text = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    section = text.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    return section.partition(f"```{kind}\n")[2].partition("```")[0]


def _hook(
    environment: dict[str, str], folder: Path, call: str, path: str
) -> subprocess.CompletedProcess[str]:
    """Run the command of the settings with the call on stdin, as Claude Code does."""
    hooks = folder / ".claude" / "hooks"
    hooks.mkdir(parents=True, exist_ok=True)
    (hooks / "ask.sh").write_text(_block("Claude Code", "bash"))
    (entry,) = json.loads(_block("Claude Code", "json"))["hooks"]["PreToolUse"]
    (hook,) = entry["hooks"]
    return subprocess.run(
        ["sh", "-c", hook["command"]],
        input=call,
        env={**environment, "CLAUDE_PROJECT_DIR": str(folder), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_claude_code_runs_an_approved_command_and_reads_a_denial(
    environment: dict[str, str], ana: Terminal, tmp_path: Path
) -> None:
    """Only exit code 2 blocks the call, and Claude reads stderr."""
    call = json.dumps({"tool_name": "Bash", "tool_input": {"command": 'rm -r "build"'}})
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    with run_in_background(_hook, environment, tmp_path, call, path) as done:
        request = next_request(ana)
        assert 'rm -r "build"' in request.action_text.replace("\\", "")
        approve(ana, request)
    assert done.result().returncode == 0
    with run_in_background(_hook, environment, tmp_path, call, path) as done:
        ana.deny(next_request(ana), "wrong_details", "Not that one.")
    assert done.result().returncode == 2
    assert '"Not that one."' in done.result().stderr


@pytest.mark.parametrize("broken", ["no call", "no sayso"])
def test_a_broken_hook_blocks(environment: dict[str, str], tmp_path: Path, broken: str) -> None:
    """A hook that fails must never let a call through."""
    call = "?" if broken == "no call" else json.dumps({"tool_input": {"command": "ls"}})
    path = "/usr/bin:/bin" if broken == "no sayso" else environment["PATH"]
    assert _hook(environment, tmp_path, call, path).returncode == 2


@pytest.mark.clients
@pytest.mark.parametrize("heading", _FRAMEWORKS)
def test_a_framework_acts_on_what_was_granted_and_reads_a_denial(
    environment: dict[str, str], ana: Terminal, heading: str
) -> None:
    """The page's own code runs, with a script instead of a model."""
    program = (
        f"{_block(heading, 'python')}\nimport json\nPAYMENT = {PAYMENT!r}\n{_FRAMEWORKS[heading]}"
    )

    def run() -> str:
        return subprocess.run(
            [AGENT_FRAMEWORKS, "-c", program],
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.strip()

    with run_in_background(run) as done:
        request = next_request(ana)
        assert request.headline == "Pay EUR 4,820.00 to Nordwind"
        approve(ana, request)
        _narrow(ana, next_request(ana))
        ana.deny(next_request(ana), "not_needed", "Paid already.")
    paid, narrowed, denied = done.result().splitlines()
    assert paid == "Paid 482000 to Nordwind."
    assert narrowed.startswith(_LESS.get(heading, "Paid 50000 to Nordwind."))
    assert "50000" in narrowed
    assert '"Paid already."' in denied


def _narrow(person: Terminal, request: Approval) -> None:
    """Approve EUR 500 of the request."""
    part = person.decider.narrow(request, Narrowing((read_change("amount=500"),)))
    fact = Entries(fact=typed_fact(request.action_text, request.display_text))
    person.decider.approve(
        request, fingerprint=request.fingerprint, pin=PIN, granted=part, entries=fact
    )
