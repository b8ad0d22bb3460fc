"""An MCP server for MCP's conformance suite: `python suite_tools.py PORT SETTINGS`.

It has everything that the suite calls, with the suite's names and schemas. SETTINGS are those of
`sayso.mcp.Tools`, or null to serve anyone.

Owns: these tools, resources and prompts. Never: who calls them.
"""

import asyncio
import base64
import json
import sys
import warnings
from typing import Annotated, Any

import uvicorn
from mcp.server import ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer, RequestStateSecurity
from mcp.server.mcpserver.prompts.base import Prompt, UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    Completion,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel, Field

from sayso.mcp import Tools
from tests.support.servers.suite_content import (
    IMAGE,
    SCHEMA_2020_12,
    SOUND,
    Answer,
    Defaults,
    Enums,
    Events,
    embedded,
    form,
    image,
    sampling,
    text,
)

Ctx = Context[Any, Any]
mcp = MCPServer(
    "suite", version="1", request_state_security=RequestStateSecurity(keys=[b"of this test" * 3])
)


@mcp.tool()
def test_simple_text() -> str:
    """Return text."""
    return "This is a simple text response for testing."


@mcp.tool()
def test_image_content() -> list[ImageContent]:
    """Return an image."""
    return [image()]


@mcp.tool()
def test_audio_content() -> list[AudioContent]:
    """Return a sound."""
    return [AudioContent(type="audio", data=SOUND, mime_type="audio/wav")]


@mcp.tool()
def test_embedded_resource() -> list[EmbeddedResource]:
    """Return a resource."""
    return [embedded("test://embedded-resource")]


@mcp.tool()
def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Return one of each."""
    return [text("Several:"), image(), embedded("test://mixed-content-resource")]


@mcp.tool()
async def test_tool_with_logging(ctx: Ctx) -> str:
    """Log while it runs."""
    for step in ("started", "processing", "completed"):
        await ctx.info(step)
        await asyncio.sleep(0.05)
    return "logged"


@mcp.tool()
async def test_tool_with_progress(ctx: Ctx) -> str:
    """Report progress."""
    for step in (0, 50, 100):
        await ctx.report_progress(step, 100, f"{step} of 100")
        await asyncio.sleep(0.05)
    return "done"


@mcp.tool()
async def test_sampling(prompt: str, ctx: Ctx) -> str:
    """Ask the client's model."""
    message = SamplingMessage(role="user", content=text(prompt))
    answer = await ctx.session.create_message(
        [message], max_tokens=100, related_request_id=ctx.request_id
    )
    return f"LLM response: {answer.content}"


async def _elicit(ctx: Ctx, message: str, schema: type[BaseModel]) -> str:
    answer = await ctx.elicit(message, schema)
    content = answer.data.model_dump_json() if answer.action == "accept" else "{}"
    return f"action={answer.action}, content={content}"


@mcp.tool()
async def test_elicitation(message: str, ctx: Ctx) -> str:
    """Ask the person."""
    return f"User response: {await _elicit(ctx, message, Answer)}"


@mcp.tool()
async def test_elicitation_sep1034_defaults(ctx: Ctx) -> str:
    """Ask the person in a form with defaults."""
    return f"Elicitation completed: {await _elicit(ctx, 'Who are you?', Defaults)}"


@mcp.tool()
async def test_elicitation_sep1330_enums(ctx: Ctx) -> str:
    """Ask the person in a form with enumerations."""
    return f"Elicitation completed: {await _elicit(ctx, 'Choose.', Enums)}"


@mcp.tool()
def test_error_handling() -> str:
    """Fail."""
    raise RuntimeError("This tool intentionally returns an error for testing")


@mcp.tool()
def test_x_mcp_header(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> str:
    """Take an argument that is a header too."""
    return f"region={region}"


@mcp.tool()
async def test_missing_capability(ctx: Ctx) -> str:
    """Need a client that has a model."""
    declared = ctx.session.client_capabilities
    if declared is None or declared.sampling is None:
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="This tool needs sampling.",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return "declared"


@mcp.tool()
async def test_reconnection(ctx: Ctx) -> str:
    """Close the stream of the call while it runs."""
    await ctx.close_sse_stream()
    await asyncio.sleep(0.2)
    return "Reconnection test completed"


@mcp.tool()
async def test_trigger_tool_change(ctx: Ctx) -> str:
    """Change the list of tools."""
    mcp.add_tool(test_simple_text, name="test_dynamic_tool")
    mcp.remove_tool("test_dynamic_tool")
    await ctx.notify_tools_changed()
    return "changed"


@mcp.tool()
async def test_trigger_prompt_change(ctx: Ctx) -> str:
    """Change the list of prompts."""
    mcp.add_prompt(Prompt.from_function(test_simple_prompt, name="test_dynamic_prompt"))
    mcp.remove_prompt("test_dynamic_prompt")
    await ctx.notify_prompts_changed()
    return "changed"


@mcp.tool()
def json_schema_2020_12_tool() -> str:
    """Take arguments of a schema that uses much of JSON Schema."""
    return "ok"


mcp._tool_manager._tools["json_schema_2020_12_tool"].parameters = SCHEMA_2020_12


def _add_asking_tool(name: str, asked: dict[str, InputRequest], state: str | None = None) -> None:
    """Add a tool that needs these answers, and its state back if it sent one."""

    async def tool(ctx: Ctx) -> Any:
        """Ask for input."""
        responses = ctx.input_responses or {}
        if asked.keys() <= responses.keys() and ctx.request_state == state:
            answers = {name: responses[name].model_dump(mode="json") for name in asked}
            return f"state-ok: {json.dumps(answers)}"
        return InputRequiredResult(input_requests=asked, request_state=state)

    mcp.add_tool(tool, name=f"test_input_required_result_{name}")


_NAME: dict[str, InputRequest] = {"user_name": form("name")}
_CONFIRM: dict[str, InputRequest] = {"confirm": form("ok", "boolean")}
_ROOTS: dict[str, InputRequest] = {"client_roots": ListRootsRequest()}
_add_asking_tool("elicitation", _NAME)
_add_asking_tool("sampling", {"capital_question": sampling("What is the capital of France?")})
_add_asking_tool("list_roots", _ROOTS)
_add_asking_tool("request_state", _CONFIRM, "nonce")
_add_asking_tool("multiple_inputs", {**_NAME, **_ROOTS, "greeting": sampling("Greet.")}, "several")
_add_asking_tool("tampered_state", _CONFIRM, "round-1")


@mcp.tool()
async def test_input_required_result_multi_round(ctx: Ctx) -> str | InputRequiredResult:
    """Ask twice."""
    responses = ctx.input_responses or {}
    if ctx.request_state == "2" and "step2" in responses:
        return "Both steps are done."
    step = 2 if ctx.request_state == "1" and "step1" in responses else 1
    return InputRequiredResult(
        input_requests={f"step{step}": form("name" if step == 1 else "color")},
        request_state=str(step),
    )


@mcp.tool()
async def test_input_required_result_capabilities(ctx: Ctx) -> InputRequiredResult:
    """Ask only for what the client can do."""
    declared = ctx.client_capabilities
    asked: dict[str, InputRequest] = {}
    if declared is None or declared.sampling is not None:
        asked["sample"] = sampling("Say hello.")
    if declared is None or declared.elicitation is not None:
        asked["ask"] = form("name")
    return InputRequiredResult(input_requests=asked, request_state="as declared")


@mcp.resource("test://static-text")
def static_text() -> str:
    """A text."""
    return "This is the content of the static text resource."


@mcp.resource("test://static-binary")
def static_binary() -> bytes:
    """An image."""
    return base64.b64decode(IMAGE)


@mcp.resource("test://template/{name}/data")
def template(name: str) -> str:
    """A text with a part of its URI."""
    return json.dumps({"id": name, "templateTest": True, "data": f"Data for ID: {name}"})


@mcp.resource("test://watched-resource")
def watched() -> str:
    """A text that clients subscribe to."""
    return "watched"


@mcp.prompt()
def test_simple_prompt() -> list[UserMessage]:
    """A prompt."""
    return [UserMessage("This is a simple prompt for testing.")]


@mcp.prompt()
def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
    """A prompt with arguments."""
    return [UserMessage(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]


@mcp.prompt()
def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803  # the suite's
    """A prompt with a resource."""
    return [UserMessage(embedded(resourceUri)), UserMessage("Read it.")]


@mcp.prompt()
def test_prompt_with_image() -> list[UserMessage]:
    """A prompt with an image."""
    return [UserMessage(image()), UserMessage("Look at it.")]


@mcp.prompt()
async def test_input_required_result_prompt(ctx: Ctx) -> list[UserMessage] | InputRequiredResult:
    """A prompt that asks."""
    if "user_context" in (ctx.input_responses or {}):
        return [UserMessage("With the context.")]
    return InputRequiredResult(input_requests={"user_context": form("context")})


async def _nothing(_context: ServerRequestContext[Any], _params: Any) -> EmptyResult:
    return EmptyResult()


_HANDLED: dict[str, type[Any]] = {
    "logging/setLevel": SetLevelRequestParams,
    "resources/subscribe": SubscribeRequestParams,
    "resources/unsubscribe": UnsubscribeRequestParams,
}
for _method, _params in _HANDLED.items():
    mcp._lowlevel_server.add_request_handler(_method, _params, _nothing)


@mcp.completion()  # type: ignore[no-untyped-call,untyped-decorator]  # as the SDK has it
async def complete(*_: object) -> Completion:
    """Propose nothing."""
    return Completion(values=[], total=0, has_more=False)


def main(port: int, settings: dict[str, Any] | None) -> None:
    """Serve on this port."""
    warnings.simplefilter("ignore")  # the suite also calls what 2026-07-28 deprecates
    app: Any = mcp.streamable_http_app(event_store=Events(), retry_interval=100)
    if settings is not None:
        app = Tools(**settings).protect(app)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
