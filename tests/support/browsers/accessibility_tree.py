"""What a screen reader is given: Chromium's accessibility tree, in the words of our script for it.

Owns: what has the focus, what live regions say, and what stands in the main part, in reading order.
Each is a role and a name, as `docs/screen-reader.md` writes them. Never: how a reader words them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.browsers.chromium import Chromium

_PAGE = "RootWebArea"
_PARTS = frozenset(
    {"heading", "term", "definition", "paragraph", "Figcaption", "blockquote", "link", "button"}
    | {"status", "alert", "textbox", "radio", "checkbox", "StaticText"}
)
_PRESSED = frozenset({"link", "button", "textbox", "radio", "checkbox"})
_NAMES = {_PAGE: "page", "Figcaption": "caption", "StaticText": "text"}

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """The tree of one moment."""

    nodes: dict[str, Node]

    def focus(self) -> str:
        """What has the focus; the page itself when nothing on it has; "" between two pages."""
        found = [value for value in self.nodes.values() if _property(value, "focused")]
        deepest = [one for one in found if _role(one) != _PAGE] or found
        return self._said(deepest[-1]) if deepest else ""

    def announcements(self) -> list[str]:
        """What stands in live regions: that is said without being asked for when it changes."""
        live = [value for value in self.nodes.values() if _property(value, "live")]
        return [text for text in map(self._text, live) if text]

    def main(self) -> list[str]:
        """The main part in reading order."""
        (main,) = [value for value in self.nodes.values() if _role(value) == "main"]
        return [self._said(part) for part in self._parts(main)]

    def _parts(self, node: Node) -> Iterator[Node]:
        for child in self._children(node):
            whole = _role(child) in _PARTS and not self._has_button(child)
            if not whole:
                yield from self._parts(child)
            elif any(letter.isalnum() for letter in self._said(child).partition(":")[2]):
                yield child

    def _has_button(self, node: Node) -> bool:
        """Reports whether something inside it can be pressed, and so is read on its own."""
        below = self._children(node)
        return any(_role(one) in _PRESSED or self._has_button(one) for one in below)

    def _said(self, node: Node) -> str:
        role = _role(node)
        if role == "main":
            return "main part"
        name = node.get("name", {}).get("value") or self._text(node)
        words = f"{_NAMES.get(role, role)}: {_spaced(name)}" if name else ""
        return f"{words} (cannot be pressed)" if _property(node, "disabled") else words

    def _text(self, node: Node) -> str:
        if _role(node) == "StaticText":
            text: str = node["name"]["value"]
            return text
        return _spaced("".join(map(self._text, self._children(node))))

    def _children(self, node: Node) -> list[Node]:
        return [
            self.nodes[childid] for childid in node.get("childIds", ()) if childid in self.nodes
        ]


def heard(tab: Chromium) -> Heard:
    """The tree as it is now."""
    nodes = tab.tell("Accessibility.getFullAXTree")["nodes"]
    return Heard({node["nodeId"]: node for node in nodes})


def _role(node: Node) -> str:
    role: str = "none" if node.get("ignored") else node["role"]["value"]
    return role


def _property(node: Node, name: str) -> Any:
    found = (one["value"].get("value") for one in node.get("properties", ()) if one["name"] == name)
    return next(found, None)


def _spaced(text: str) -> str:
    return " ".join(text.split())
