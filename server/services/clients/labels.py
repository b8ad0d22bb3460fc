"""Labels of agents: what an administrator calls them by when a rule of policy is about several.

Owns: what a label may look like. Never: what follows from one; that is policy.
"""

from collections.abc import Sequence
from typing import Final

from server.protocol.clients.labels import is_label
from server.services.refusals import Invalid, about

MOST_LABELS: Final = 20


@about("labels")
def read(raw: Sequence[str]) -> tuple[str, ...]:
    """The labels, sorted, each once. Raises `Invalid`, which names the one that is none."""
    found = tuple(sorted(set(raw)))
    for label in found:
        if not is_label(label):
            raise Invalid(
                f"{label[:40]} is not a label. Write a word or key=value: a-z 0-9 . _ - from a "
                "letter or digit on, in the value A-Z / @ : as well."
            )
    keys = [label.split("=")[0] for label in found]
    if len(set(keys)) < len(keys):
        raise Invalid("Two labels have the same key. Give each key one value.")
    if len(found) > MOST_LABELS:
        raise Invalid(f"An agent has at most {MOST_LABELS} labels.")
    return found
