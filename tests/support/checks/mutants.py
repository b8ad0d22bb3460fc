"""Changes one expression of a rule at random and checks whether a test fails.

Owns: which lines are changed, which tests are run, and the score. cosmic-ray makes the changes.
Run as `scripts/mutants`.
"""

import argparse
import difflib
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names
from coverage import CoverageData

from tests.support.checks.source import ROOT

RULES = ("server/protocol", "server/services")
MIN_SCORE = 0.95
_COVERAGE = ROOT / ".coverage-mutants"
_QUICK = "not faults and not postgresql and not clients and not browsers"
_BATCH_SIZE = 400
"""The number of tests in one pytest run. The tests nearest to the changed module run first."""
_SECONDS = 600
_PASSED = 0
_NOTHING_RAN = 5


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed module, and the tests that run the changed line."""

    path: str
    line: int
    operator: str
    changed: str
    tests: tuple[str, ...]

    @property
    def diff(self) -> str:
        """The changed lines, with their path and line number."""
        before = (ROOT / self.path).read_text("utf-8").splitlines()
        lines = difflib.unified_diff(before, self.changed.splitlines(), n=0, lineterm="")
        changes = "\n".join(list(lines)[3:])
        return f"{self.path}:{self.line} {self.operator}\n{changes}"


def main() -> int:
    """Run the command; return 1 if the share of killed mutants is below `MIN_SCORE`."""
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many mutants (200)")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="seed of a run to repeat"
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many mutants run in parallel (2)")
    parser.add_argument("--keep", action="store_true", help="reuse the coverage of the last run")
    args = parser.parse_args()
    if not args.keep or not _COVERAGE.exists():
        _measure()
    mutants = list(_choose_mutants(random.Random(args.seed), args.count))  # noqa: S311  # not a secret
    survivors = _survivors(mutants, args.jobs)
    killed = len(mutants) - len(survivors)
    _print(f"seed {args.seed}: {killed} of {len(mutants)} killed ({killed / len(mutants):.1%})")
    return int(killed < MIN_SCORE * len(mutants))


def _measure() -> None:
    """Run the quick tests, and record for each line which tests ran it."""
    _print("Running the quick tests under coverage ...")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"]
    arguments = [
        "tests/server",
        "-m",
        _QUICK,
        "--cov=server",
        "--cov-context=test",
        "--cov-report=",
    ]
    settings = {**os.environ, "COVERAGE_FILE": str(_COVERAGE)}
    subprocess.run([*command, *arguments], cwd=ROOT, env=settings, check=True)


def _choose_mutants(random_source: random.Random, count: int) -> Iterator[Mutant]:
    """Yield mutants of random lines, among the lines that a test runs."""
    reached = sorted((path, line) for path, lines in _tests().items() for line in lines)
    while count:
        path, line = random_source.choice(reached)
        options = _options(path).get(line, [])
        if not options:
            continue
        operator, occurrence = random_source.choice(options)
        source = (ROOT / path).read_text("utf-8")
        changed = mutate_code(source, get_operator(operator)(), occurrence)
        if changed is None or not _compiles(changed):
            continue
        yield Mutant(path, line, operator, changed, _nearest(path, _tests()[path][line]))
        count -= 1


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


@cache
def _tests() -> dict[str, dict[int, list[str]]]:
    """Return the tests that ran each line, by module and line."""
    data = CoverageData(str(_COVERAGE))
    data.read()
    tests_by_line: dict[str, dict[int, list[str]]] = {}
    for name in data.measured_files():
        path = str(Path(name).relative_to(ROOT))
        if path.startswith(RULES):
            lines = data.contexts_by_lineno(name)
            named = {line: sorted(filter(None, map(_test, ids))) for line, ids in lines.items()}
            tests_by_line[path] = {n: tests for n, tests in named.items() if n > 0 and tests}
    return tests_by_line


def _test(context: str) -> str:
    """Return the test id in a context such as `tests/a.py::test_b|run`; "" for a teardown."""
    test, _, phase = context.partition("|")
    return "" if phase == "teardown" else test


@cache
def _options(path: str) -> dict[int, list[tuple[str, int]]]:
    """Return the possible changes by line: an operator and the number of its occurrence."""
    nodes = list(ast_nodes(get_ast((ROOT / path).read_text("utf-8"))))
    options: dict[int, list[tuple[str, int]]] = {}
    for name in operator_names():
        kind: type[Operator] = get_operator(name)
        if kind.arguments() or name.endswith("NoOp"):
            continue
        operator = kind()
        positions = (p for node in nodes for p in operator.mutation_positions(node))
        for occurrence, ((line, _), _) in enumerate(positions):
            options.setdefault(line, []).append((name, occurrence))
    return options


def _nearest(path: str, tests: Sequence[str]) -> tuple[str, ...]:
    """Return the tests, sorted by the number of words that their path shares with the module's."""
    module_words = set(Path(path).with_suffix("").parts) | set(Path(path).stem.split("_"))

    def distance(test: str) -> int:
        file = Path(test.partition("::")[0]).with_suffix("")
        return -len(module_words & ({*file.parts} | {*file.stem.split("_")}))

    return tuple(sorted(tests, key=lambda test: (distance(test), test)))


def _survivors(mutants: Sequence[Mutant], jobs: int) -> list[Mutant]:
    copies: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="sayso-mutants-") as folder:
        for job in range(jobs):
            copies.put(_copy(Path(folder) / str(job)))

        def survives(mutant: Mutant) -> bool:
            copy = copies.get()
            try:
                return _survives(mutant, copy)
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(jobs) as threads:
            verdicts = list(threads.map(survives, mutants))
    return [mutant for mutant, survived in zip(mutants, verdicts, strict=True) if survived]


def _copy(target: Path) -> Path:
    """Copy the tracked files, so that mutants are never written to the working copy."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target


def _survives(mutant: Mutant, copy: Path) -> bool:
    with _plant(mutant, copy):
        survived = all(
            _pass(copy, mutant.tests[first : first + _BATCH_SIZE])
            for first in range(0, len(mutant.tests), _BATCH_SIZE)
        )
    _print(f"SURVIVED {mutant.diff}" if survived else ".")
    return survived


@contextmanager
def _plant(mutant: Mutant, copy: Path) -> Iterator[None]:
    file = copy / mutant.path
    original = file.read_text("utf-8")
    file.write_text(mutant.changed, "utf-8")
    try:
        yield
    finally:
        file.write_text(original, "utf-8")


def _pass(copy: Path, tests: Sequence[str]) -> bool:
    """Return whether all of these tests pass. A test that hangs has failed."""
    test_list = copy / "tests-to-run.txt"
    test_list.write_text("\n".join(tests), "utf-8")
    options = ["-x", "-q", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "--timeout", "60", f"@{test_list}"]
    try:
        exit_status = subprocess.run(
            command, cwd=copy, capture_output=True, timeout=_SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return False
    if exit_status == _NOTHING_RAN:
        raise RuntimeError(f"none of the tests ran: {tests[:3]}")
    return exit_status == _PASSED


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
