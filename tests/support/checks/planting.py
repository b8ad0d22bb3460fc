"""A pytest plugin that plants faults one after another and runs the tests that must detect them.

Each named test runs once for each of its faults. While it runs, the functions that contain the
faulty line have the code of the changed source. Finally the test runs without a fault, to find
tests that fail only because they cannot be repeated. The results are written as JSON to the file
that the environment variable names.

Owns: planting. `planted.py` has the list of faults. Never: imported by the product.
"""

import ast
import functools
import importlib
import inspect
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.support.checks.planted import FAULTS, RESULTS_VARIABLE, ROOT, Fault

_RESULTS: dict[str, list[str]] = {}
"""Name of the fault, or "" for no fault → the tests that failed."""


def _codes(code: CodeType, path: str = "") -> Iterator[tuple[str, CodeType]]:
    """The functions and methods of a module: their dotted path in the module, and their code."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and not inner.co_name.startswith("<"):
            name = f"{path}{inner.co_name}"
            if inner.co_flags & inspect.CO_NEWLOCALS:  # a function, not the body of a class
                yield name, inner
            else:
                yield from _codes(inner, f"{name}.")


def _function(module: object, path: str) -> FunctionType:
    """The function itself, without decorators."""
    *classes, name = path.split(".")
    owner = functools.reduce(getattr, classes, module)
    attribute: Any = vars(owner)[name]
    while not isinstance(attribute, FunctionType):
        attribute = (
            getattr(attribute, "__wrapped__", None)
            or getattr(attribute, "__func__", None)
            or attribute.fget
        )
    function: FunctionType = inspect.unwrap(attribute)
    return function


def _functions(fault: Fault) -> Mapping[str, CodeType]:
    """The functions that the fault changes, with their faulty code."""
    source = (ROOT / fault.path).read_text("utf-8")
    right, wrong = (
        dict(_codes(compile(text, fault.path, "exec", dont_inherit=True)))
        for text in (source, source.replace(fault.line, fault.replacement))
    )
    return {path: wrong[path] for path, code in right.items() if code != wrong[path]}


def _globals(fault: Fault) -> Mapping[str, CodeType]:
    """The module constants that the fault changes, with the code of their faulty values."""
    source = (ROOT / fault.path).read_text("utf-8")
    right, wrong = (
        _assignments(text) for text in (source, source.replace(fault.line, fault.replacement))
    )
    return {
        name: compile(ast.Expression(value), fault.path, "eval")
        for name, value in wrong.items()
        if ast.dump(right[name]) != ast.dump(value)
    }


def _assignments(source: str) -> dict[str, ast.expr]:
    return {
        ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0]): node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
    }


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Plant the fault while the block runs."""
    module = importlib.import_module(fault.module)
    wrong = [
        *((_function(module, path), "__code__", code) for path, code in _functions(fault).items()),
        *((module, name, eval(code, vars(module))) for name, code in _globals(fault).items()),  # noqa: S307  # our own source
    ]
    if not wrong:
        raise LookupError(f"the fault changes no function and no constant of {fault.path}")
    right = [getattr(owner, name) for owner, name, _ in wrong]
    for owner, name, value in wrong:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for (owner, name, _), value in zip(wrong, right, strict=True):
            setattr(owner, name, value)


def _run(item: pytest.Item) -> list[pytest.TestReport]:
    """Run a test, keeping shared fixtures; return the reports of failed phases."""
    reports = runtestprotocol(item, nextitem=item.parent, log=False)  # type: ignore[arg-type]  # the session replaces the next item
    return [report for report in reports if report.failed]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run the test with each fault that is not detected yet, and then without a fault."""
    test = item.nodeid.split("[")[0]
    due = [name for name in FAULTS if FAULTS[name].noticed_by == test and not _RESULTS.get(name)]
    for name in due:
        with planted(FAULTS[name]):
            failed = [report for report in _run(item) if report.when == "call"]
        _RESULTS[name] = [item.nodeid for _ in failed]
    if any(_RESULTS[name] for name in due):
        settings.load_profile("without fault")
        _RESULTS.setdefault("", []).extend(item.nodeid for _ in _run(item))
        settings.load_profile("planted")
    item.session._setupstate.teardown_exact(nextitem)
    return True


def pytest_sessionfinish() -> None:
    """Write which tests failed."""
    Path(os.environ[RESULTS_VARIABLE]).write_text(json.dumps(_RESULTS), "utf-8")


# Failing examples are not shrunk, because only the failure matters. The examples are always the
# same; without the fault, the first few are enough to show that the test passes.
settings.register_profile(
    "planted",
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    database=None,
    derandomize=True,
)
settings.register_profile("without fault", parent=settings.get_profile("planted"), max_examples=10)
settings.load_profile("planted")
