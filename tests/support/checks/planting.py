"""A pytest plugin that plants faults one after another and runs the tests that must notice them.

Each named test runs once for each of its faults: the functions that contain the faulty line get the
code of the changed source for as long as the test runs. Then it runs as it is, last, so that a test
which merely cannot be repeated is found too. The results go as JSON to the file that the
environment names.

Owns: the planting. Which faults there are is in `planted.py`. Never: imported by the product.
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

from tests.support.checks.planted import FAULTS, ROOT, TOLD, Fault

_RESULTS: dict[str, list[str]] = {}
"""Fault, or "" for none → the tests that failed."""


def _codes(code: CodeType, path: str = "") -> Iterator[tuple[str, CodeType]]:
    """The functions and methods of a module, as paths from the module, and their code."""
    for each in code.co_consts:
        if isinstance(each, CodeType) and not each.co_name.startswith("<"):
            name = f"{path}{each.co_name}"
            if each.co_flags & inspect.CO_NEWLOCALS:  # a function, not the body of a class
                yield name, each
            else:
                yield from _codes(each, f"{name}.")


def _function(module: object, path: str) -> FunctionType:
    """The function itself, under whatever decorates it."""
    *classes, name = path.split(".")
    owner = functools.reduce(getattr, classes, module)
    found: Any = vars(owner)[name]
    while not isinstance(found, FunctionType):
        found = (
            getattr(found, "__wrapped__", None) or getattr(found, "__func__", None) or found.fget
        )
    function: FunctionType = inspect.unwrap(found)
    return function


def _functions(fault: Fault) -> Mapping[str, CodeType]:
    """The functions that the fault changes, and what each is with the fault."""
    source = (ROOT / fault.path).read_text("utf-8")
    right, wrong = (
        dict(_codes(compile(text, fault.path, "exec", dont_inherit=True)))
        for text in (source, source.replace(fault.line, fault.instead))
    )
    return {path: wrong[path] for path, code in right.items() if code != wrong[path]}


def _globals(fault: Fault) -> Mapping[str, CodeType]:
    """The names that the module itself gives another value with the fault, and that value."""
    source = (ROOT / fault.path).read_text("utf-8")
    right, wrong = (_assigned(text) for text in (source, source.replace(fault.line, fault.instead)))
    return {
        name: compile(ast.Expression(value), fault.path, "eval")
        for name, value in wrong.items()
        if ast.dump(right[name]) != ast.dump(value)
    }


def _assigned(source: str) -> dict[str, ast.expr]:
    return {
        ast.unparse(each.target if isinstance(each, ast.AnnAssign) else each.targets[0]): each.value
        for each in ast.parse(source).body
        if isinstance(each, ast.Assign | ast.AnnAssign) and each.value
    }


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """The fault is there while the block runs."""
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
    """The steps that failed; what the other tests of the file share stays."""
    reports = runtestprotocol(item, nextitem=item.parent, log=False)  # type: ignore[arg-type]  # the session stands for the next item
    return [each for each in reports if each.failed]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run it with each fault that it must notice and nothing has noticed; then as it is."""
    test = item.nodeid.split("[")[0]
    due = [name for name in FAULTS if FAULTS[name].noticed_by == test and not _RESULTS.get(name)]
    for name in due:
        with planted(FAULTS[name]):
            failed = [each for each in _run(item) if each.when == "call"]
        _RESULTS[name] = [item.nodeid for _ in failed]
    if any(_RESULTS[name] for name in due):
        settings.load_profile("as it is")
        _RESULTS.setdefault("", []).extend(item.nodeid for _ in _run(item))
        settings.load_profile("planted")
    item.session._setupstate.teardown_exact(nextitem)
    return True


def pytest_sessionfinish() -> None:
    """Write down which tests failed."""
    Path(os.environ[TOLD]).write_text(json.dumps(_RESULTS), "utf-8")


# What fails is not made shorter: that it fails is all that is asked. The same examples each time,
# of which the first are enough to show that the test does not fail without the fault.
settings.register_profile(
    "planted",
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    database=None,
    derandomize=True,
)
settings.register_profile("as it is", parent=settings.get_profile("planted"), max_examples=10)
settings.load_profile("planted")
