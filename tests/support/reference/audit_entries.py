"""The reference page of audit entries, generated from the list of types."""

from itertools import groupby

from server.services.audit.audit import Type
from tests.support.reference.markdown import GENERATED, code, member_docs, table

_HEAD = """\
# Audit entries

{generated}
For administrators and auditors. This page lists every type of entry and when Sayso writes it.

```
sayso audit search --type approval.approved --user ana
sayso audit tail --follow
```

Every entry names the actor, the user, the resource, the decision, the device and the reason. It
keeps its exact bytes (RFC 8785 JSON) with their hash. Sayso writes an entry in the same transaction
as its effect.
"""


def page() -> str:
    """Return the page: one table of types for each subject."""
    docs = member_docs(Type)
    ordered = sorted(Type, key=lambda type_: type_.value.split(".")[0])
    parts = [_HEAD.format(generated=GENERATED)]
    for noun, types in groupby(ordered, key=lambda type_: type_.value.split(".")[0]):
        rows = [(code(type_.value), docs[type_.name]) for type_ in types]
        parts.append(f"## `{noun}`\n\n{table(('type', 'written when'), rows)}")
    return "\n".join(parts)
