"""Why an administrator's change was not made. Nothing was changed when one of these is raised.

    Refused
     ├─ NotFound     what was named does not exist
     ├─ Exists       what should be added is there already
     ├─ Conflict     the state of things does not allow it
     └─ Invalid      the request itself cannot be carried out as it is

The message says what to do about it. It may repeat what the administrator wrote, so whoever prints
it makes it safe first.
"""


class Refused(Exception):
    """A change that was not made."""


class NotFound(Refused):
    """What was named does not exist."""


class Exists(Refused):
    """What should be added is there already."""


class Conflict(Refused):
    """The state of things does not allow it."""


class Invalid(Refused):
    """The request itself cannot be carried out as it is."""
