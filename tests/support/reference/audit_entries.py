"""The page of the audit entries, from the closed list of types."""

from itertools import groupby

from server.services.audit.audit import Type
from tests.support.reference.markdown import GENERATED, code, member_docs, table

_HEAD = """\
# Audit entries

{generated}
For administrators and auditors. Every type of entry, and when it is written.

```
sayso audit search --type approval.approved --user ana
sayso audit tail --follow
```

Every entry says who acted, for whom, at which resource, under which decision, on which device
and why, and keeps its exact bytes (RFC 8785 JSON) with their hash. It is written in the same
transaction as its effect.
"""


def page() -> str:
    """The table of types, by what they are about."""
    docs = member_docs(Type)
    ordered = sorted(Type, key=lambda one: one.value.split(".")[0])
    parts = [_HEAD.format(generated=GENERATED)]
    for noun, types in groupby(ordered, key=lambda one: one.value.split(".")[0]):
        rows = [(code(one.value), docs[one.name]) for one in types]
        parts.append(f"## `{noun}`\n\n{table(('type', 'written when'), rows)}")
    return "\n".join(parts)
