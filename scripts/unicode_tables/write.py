"""Writes the tables of `server/protocol/confusables.py` from the Unicode data in ICU's source.

ICU's source has two files of the same Unicode version: `confusables.txt` (UTS 39), and `ppucd.txt`
with the properties of all characters.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_HEADER = """\
# {what}
# Unicode {version}, from {source}. Written by scripts/unicode; do not edit.
# © Unicode, Inc. Unicode License V3: see LICENSE in this folder.
"""
_DATA_LINE = re.compile(r"^([0-9A-F]+) ;\t([0-9A-F ]+) ;\tMA", re.MULTILINE)


def main(unidata: Path, target: Path) -> None:
    """Write the three tables."""
    properties = (unidata / "ppucd.txt").read_text("utf-8")
    confusables = (unidata / "confusables.txt").read_text("utf-8-sig")
    version = re.search(r"^ucd;(\S+)$", properties, re.MULTILINE)[1]
    if f"# Version: {version}" not in confusables:
        sys.exit("confusables.txt and ppucd.txt have different Unicode versions")
    scripts, ignorable = _properties(properties.splitlines())
    mappings = [(int(code, 16), to) for code, to in _DATA_LINE.findall(confusables)]
    for name, what, source, lines in (
        (
            "prototypes",
            "A character; what it looks like (UTS 39 section 4)",
            "confusables.txt",
            (f"{code:04X} {to}" for code, to in sorted(mappings)),
        ),
        ("scripts", "First and last character; Script_Extensions", "ppucd.txt", _ranges(scripts)),
        (
            "ignorable",
            "First and last character with Default_Ignorable_Code_Point",
            "ppucd.txt",
            _ranges(dict.fromkeys(sorted(ignorable), "")),
        ),
    ):
        text = _HEADER.format(what=what, version=version, source=source)
        (target / f"{name}.txt").write_text(text + "\n".join(lines) + "\n", "utf-8")


def _properties(lines: list[str]) -> tuple[dict[int, str], set[int]]:
    """The scripts of characters, by long name, and the default ignorable characters."""
    long_names = dict(re.match(r"value;sc;(\w+);(\w+)", value).groups() for value in _values(lines))
    properties: dict[int, dict[str, str]] = {}
    for kind, codes, members in _characters(lines):
        own_properties = dict(member.partition("=")[::2] for member in members)
        for code in codes:
            inherited = {} if kind == "unassigned" else properties.get(code, {})
            properties[code] = inherited | own_properties
    scripts = {
        code: " ".join(sorted(long_names[name] for name in names))
        for code, names in (
            (code, _scripts(members)) for code, members in sorted(properties.items())
        )
        if names
    }
    return scripts, {code for code, own in properties.items() if "DI" in own and "-DI" not in own}


def _scripts(properties: dict[str, str]) -> list[str]:
    """The scripts of a character; empty for a common or unassigned character."""
    extensions = properties.get("scx", "<script>")
    names = properties.get("sc", "Zzzz") if extensions == "<script>" else extensions
    return [] if names in {"Zyyy", "Zinh", "Zzzz"} else names.split()


def _values(lines: list[str]) -> Iterator[str]:
    return (line for line in lines if line.startswith("value;sc;"))


def _characters(lines: list[str]) -> Iterator[tuple[str, Iterable[int], list[str]]]:
    """The lines of blocks and characters; characters inherit the properties of their block."""
    for line in lines:
        kind, _, rest = line.partition(";")
        if kind in {"block", "cp", "unassigned"}:
            first, _, last = rest.split(";")[0].partition("..")
            codes = range(int(first, 16), int(last or first, 16) + 1)
            yield kind, codes, rest.split(";")[1:]


def _ranges(values: dict[int, str]) -> Iterator[str]:
    """Ranges of adjacent characters with the same value, as `first last value`."""
    run: list[int] = []
    for code, value in values.items():
        if run and (code != run[-1] + 1 or value != values[run[0]]):
            yield _line(run, values)
            run = []
        run.append(code)
    yield _line(run, values)


def _line(run: list[int], values: dict[int, str]) -> str:
    return f"{run[0]:04X} {run[-1]:04X} {values[run[0]]}".rstrip()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
