"""Labels of agents, which policy rules can match.

Owns: the rules for labels. Never: what a label allows; that is policy.
"""

from collections.abc import Sequence
from typing import Final

from server.protocol.clients.labels import is_label
from server.services.refusals import Invalid, about

MAX_LABELS: Final = 20


@about("labels")
def read(raw: Sequence[str]) -> tuple[str, ...]:
    """Return the labels, sorted, each once. Raises `Invalid`, which names the invalid one."""
    found = tuple(sorted(set(raw)))
    for label in found:
        if not is_label(label):
            raise Invalid(
                f"{label[:40]} is not a label. Use a word or key=value of a-z 0-9 . _ - that "
                "starts with a letter or digit; a value can contain A-Z / @ : too."
            )
    keys = [label.split("=")[0] for label in found]
    if len(set(keys)) < len(keys):
        raise Invalid("Two labels have the same key. Give each key one value.")
    if len(found) > MAX_LABELS:
        raise Invalid(f"An agent has at most {MAX_LABELS} labels.")
    return found
