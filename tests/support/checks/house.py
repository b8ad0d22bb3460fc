"""Numbers that show how hard the code is to read and to change.

Owns: measuring them from the source and from one CIBA request, and comparing them with
`docs/house.json`. Run as `scripts/house`.
"""

import ast
import io
import json
import re
import sys
import tempfile
import tokenize
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from tests.support.checks.source import PACKAGES, ROOT, Module, modules

LIMITS: Final = ROOT / "docs" / "house.json"
"""The file with the limit of each number. A number above its limit fails `scripts/check`."""
_NON_CODE_TOKENS: Final = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def files_in_a_folder() -> int:
    """The largest number of modules in one folder of the product."""
    return max(Counter(Path(m.path).parent for m in modules() if m.name != "__init__").values())


def code_lines() -> int:
    """The number of lines in the product without blank lines, comments and docstrings."""
    return sum(len(_lines_of_code(module)) for module in modules())


def longest_import_chain() -> int:
    """The length of the longest chain of imports between modules of `server.services`."""
    graph = _imports("server/services")

    @cache
    def length(name: str) -> int:
        return 1 + max((length(imported) for imported in graph[name]), default=0)

    return max(length(name) for name in graph)


def class_names_used_twice() -> int:
    """The number of public class names that two modules of one layer define."""
    counts = Counter(
        (Path(*Path(module.path).parts[:2]), node.name)
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    return sum(count > 1 for count in counts.values())


def names_imported_by_app() -> int:
    """The number of names that `server/app.py` imports."""
    tree = ast.parse((ROOT / "server" / "app.py").read_text("utf-8"))
    return sum(
        len(node.names) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)
    )


def files_for_a_member() -> int:
    """The number of files that name a typical member of an agent, `external_id`."""
    return _count_files(r"external_id")


def files_for_a_grant_type() -> int:
    """The number of files that name a typical grant type, the device grant."""
    return _count_files(r"device_?grant|device_?code")


def files_for_a_kind_of_approval() -> int:
    """The number of files that name a typical kind of approval, `app_device`."""
    return _count_files(r"app_?device")


def files_crossed_by_a_request() -> int:
    """The number of server files in which code runs for one CIBA request, up to the token."""
    from tests.support.builders.template import make_template  # noqa: PLC0415  # the rest needs no server

    files: set[str] = set()

    def record(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            files.add(frame.f_code.co_filename)

    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder) / "data")
        local = template.copy_to(Path(folder) / "copy")
        agent, person = template.agent(local), template.person(local)
        sys.setprofile(record)
        try:
            handle, _ = agent.request_payment()
        finally:
            sys.setprofile(None)
        assert local.approval_for(handle).user_id == person.user.id
        local.services.store.close()
    return sum(Path(name).is_relative_to(ROOT / "server") for name in files)


NUMBERS: Final[dict[str, tuple[int, Callable[[], int]]]] = {
    "files in one folder": (25, files_in_a_folder),
    "longest chain of imports in services": (12, longest_import_chain),
    "files crossed by one CIBA request": (60, files_crossed_by_a_request),
    "class names used twice in one layer": (0, class_names_used_twice),
    "files that name one member of an agent": (6, files_for_a_member),
    "files that name one grant type": (15, files_for_a_grant_type),
    "files that name one kind of approval": (20, files_for_a_kind_of_approval),
    "lines of code": (50_000, code_lines),
    "names imported by server/app.py": (40, names_imported_by_app),
}
"""Each number with its goal and the function that measures it."""


def measure_all() -> dict[str, int]:
    """Measure all numbers."""
    return {name: measure() for name, (_, measure) in NUMBERS.items()}


def worse(now: dict[str, int]) -> list[str]:
    """One sentence for each number that is above its limit in `docs/house.json`."""
    limits = json.loads(LIMITS.read_text("utf-8"))
    return [
        f"{name} is {number} and was {limits[name]}. Reduce it, or explain the increase in the "
        "commit and run scripts/house --write"
        for name, number in now.items()
        if number > limits[name]
    ]


def main(arguments: list[str]) -> int:
    """Print the table; `--write` stores the numbers. Returns 1 if a number is above its limit."""
    now = measure_all()
    if "--write" in arguments:
        LIMITS.write_text(json.dumps(now, indent=2) + "\n", "utf-8")
    width = max(map(len, now))
    for name, number in now.items():
        sys.stdout.write(f"{name:<{width}} {number:>7,}   goal {NUMBERS[name][0]:>7,}\n")
    sentences = worse(now)
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    return 1 if sentences else 0


def _lines_of_code(module: Module) -> set[int]:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type not in _NON_CODE_TOKENS:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(module.tree):
        match node:
            case ast.Expr(ast.Constant(str()), lineno=first, end_lineno=last):
                lines.difference_update(range(first, (last or first) + 1))
    return lines


def _count_files(pattern: str) -> int:
    expression = re.compile(pattern, re.IGNORECASE)
    return sum(expression.search(text) is not None for text in _texts())


def _texts() -> Iterator[str]:
    for package in PACKAGES:
        for suffix in ("py", "html", "js", "tcss"):
            for path in (ROOT / package).rglob(f"*.{suffix}"):
                yield path.read_text("utf-8")


def _imports(folder: str) -> dict[str, set[str]]:
    """Map each module in a folder to the modules in the folder that it imports."""
    by_name = {_dotted_name(module): module for module in modules(folder)}
    graph: dict[str, set[str]] = defaultdict(set)
    for name, module in by_name.items():
        graph[name] = set(_list_imports(module)) & by_name.keys() - {name}
    return graph


def _list_imports(module: Module) -> Iterable[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _dotted_name(module: Module) -> str:
    return module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
