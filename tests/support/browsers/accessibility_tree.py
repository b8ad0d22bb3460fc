"""What a screen reader gets: Chromium's accessibility tree, in the wording of our manual script.

Owns: the focused element, the text of live regions, and the main part in reading order. Each is a
role and a name, as `docs/screen-reader.md` writes them. Never: how a screen reader words them.
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
_CONTROL_ROLES = frozenset({"link", "button", "textbox", "radio", "checkbox"})
_NAMES = {_PAGE: "page", "Figcaption": "caption", "StaticText": "text"}

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """The accessibility tree at one moment."""

    nodes: dict[str, Node]

    def focus(self) -> str:
        """Return the focused element; the page if no element has focus; "" between two pages."""
        focused = [value for value in self.nodes.values() if _property(value, "focused")]
        deepest = [node for node in focused if _role(node) != _PAGE] or focused
        return self._spoken_text(deepest[-1]) if deepest else ""

    def announcements(self) -> list[str]:
        """Return the text of live regions, which a reader announces when it changes."""
        live = [value for value in self.nodes.values() if _property(value, "live")]
        return [text for text in map(self._text, live) if text]

    def main(self) -> list[str]:
        """Return the parts of the main region in reading order."""
        (main,) = [value for value in self.nodes.values() if _role(value) == "main"]
        return [self._spoken_text(part) for part in self._parts(main)]

    def _parts(self, node: Node) -> Iterator[Node]:
        for child in self._children(node):
            is_part = _role(child) in _PARTS and not self._has_button(child)
            if not is_part:
                yield from self._parts(child)
            elif any(letter.isalnum() for letter in self._spoken_text(child).partition(":")[2]):
                yield child

    def _has_button(self, node: Node) -> bool:
        """Report whether the node contains a control, which a screen reader reads separately."""
        below = self._children(node)
        return any(_role(child) in _CONTROL_ROLES or self._has_button(child) for child in below)

    def _spoken_text(self, node: Node) -> str:
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
            self.nodes[child_id] for child_id in node.get("childIds", ()) if child_id in self.nodes
        ]


def heard(tab: Chromium) -> Heard:
    """Return the tree as it is now."""
    nodes = tab.tell("Accessibility.getFullAXTree")["nodes"]
    return Heard({node["nodeId"]: node for node in nodes})


def _role(node: Node) -> str:
    role: str = "none" if node.get("ignored") else node["role"]["value"]
    return role


def _property(node: Node, name: str) -> Any:
    properties = node.get("properties", ())
    values = (item["value"].get("value") for item in properties if item["name"] == name)
    return next(values, None)


def _spaced(text: str) -> str:
    return " ".join(text.split())
