"""What a record of administration has, as rows: one row for each member, read by every surface.

Owns: what a row says, what somebody wrote about members, and what follows for every record alike.
Never: the rule of one member; it stands in its row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias

from server.model.store import Unit
from server.protocol.text import check_prose
from server.services.refusals import Invalid, about

Check: TypeAlias = Callable[[Unit, Any], object]
"""From what somebody wrote to what is stored. Raises `ChangeRefused`."""
Widens: TypeAlias = Callable[[Any, Any], bool]
"""From the values before and after a change: whether it gives more power."""


class Kind(StrEnum):
    """What a value is. Each surface has one table of how it reads and shows each kind."""

    TEXT = "text"
    CHOICE = "choice"
    CHOICES = "choices"
    """Several of a few; a JSON body may leave them out with null."""
    NAMES = "names"
    PEOPLE = "people"
    """Ids of users and groups, whom people name."""
    LISTS = "lists"
    """A name and the names that go with it."""
    SWITCH = "switch"
    NUMBER = "number"
    MOMENT = "moment"
    """Milliseconds since the epoch."""
    KEYS = "keys"
    """Public keys, written as the text of a JWK set."""
    ICON = "icon"
    """The hash of a picture, written as the bytes of its file."""


@dataclass(frozen=True, slots=True)
class Clear:
    """A flag that takes a value away, and what is stored then."""

    flag: str
    value: object
    help: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of the command line."""

    name: str
    help: str
    metavar: str | None = None
    clears: tuple[Clear, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    """What may be written, and what it means; for a choice that has shorter words here."""
    shows_start: bool = False
    positional: bool = False
    """The command that adds a record takes it as an argument."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the sheet that the command line prints, or of a page."""

    name: str
    text: str = "{}"
    """What stands there, where `{}` is the value."""
    empty: str | None = None
    """What stands there without a value; None for no line at all."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form."""

    label: str
    hint: str = ""
    section: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """What is sent, and what a person reads."""
    every: str = ""
    """What the box says that stands for everything, which is stored as None."""
    rows: int = 2
    mine: bool = False
    """It begins with whoever fills it in."""
    known: str = ""
    """What there is of this kind is named beside it."""
    on: tuple[str, ...] = ("new", "change")
    """On which forms it stands."""
    page: Line | None = None
    """How the page of the record shows it; None where the page has a place of its own for it."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a record."""

    name: str
    """In the record, and in its column."""
    kind: Kind
    field: FormField
    flag: Flag
    line: Line | None = None
    wire: str = ""
    """In the JSON API, where it has another name."""
    start: object = None
    """What a new record has where nothing was written; None means that None may be stored."""
    needed: bool = False
    """Nobody can leave it out."""
    final: bool = False
    """A change does not write it; something else does."""
    longest: int = 400
    check: Check | None = None
    widens: Widens | None = None
    """None where every change of it may give more power."""
    fact: str | None = ""
    """In the audit log, where it has another name; None where the log leaves it out."""
    shown: bool = True
    """It is in answers as it is; otherwise the answer has something else for it."""
    column: bool = True
    """It is stored in a column of its own name."""
    searched: bool = False
    """Lists can be narrowed to the records with one value of it."""

    @property
    def wire_name(self) -> str:
        """What the JSON API calls it."""
        return self.wire or self.name

    @property
    def nullable(self) -> bool:
        """Reports whether None is a value of it."""
        return self.start is None and not self.needed


Members: TypeAlias = tuple[Member, ...]
Having: TypeAlias = Mapping[str, str]
"""Members and the values that the records of a list have."""

ANY: Final[Having] = MappingProxyType({})


def searched(members: Members) -> Members:
    """Those by which lists can be narrowed."""
    return tuple(member for member in members if member.searched)


class Written(dict[str, Any]):
    """What somebody wrote about members, by their names; a member that is absent was not written.

    A subclass says which names there are.
    """

    known: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **given: object) -> None:
        if unknown := given.keys() - self.known:
            raise TypeError(f"There is no member {', '.join(sorted(unknown))}.")
        super().__init__(given)


_LOG: Final[Mapping[Kind, Callable[[Any], object]]] = {
    Kind.CHOICES: list,
    Kind.NAMES: list,
    Kind.PEOPLE: list,
    Kind.LISTS: lambda lists: {name: list(rest) for name, rest in lists.items()},
    Kind.KEYS: lambda keys: [key["kid"] for key in keys],
}
"""How a value stands in the log, where it is not as it is."""


def started(tx: Unit, members: Members, written: Written) -> dict[str, Any]:
    """The values of a new record. Raises `ChangeRefused`."""
    starts = {member.name: member.start for member in members if not member.needed}
    return starts | changed(tx, members, written)


def changed(tx: Unit, members: Members, written: Written) -> dict[str, Any]:
    """The values that were written, each as it is stored. Raises `ChangeRefused`."""
    return {
        member.name: _checked(tx, member, written[member.name])
        for member in members
        if member.name in written
    }


def _checked(tx: Unit, member: Member, value: object) -> object:
    if value is None or member.check is None:
        return value
    with about(member.wire_name):
        return member.check(tx, value)


def facts(members: Members, record: object) -> dict[str, object]:
    """What the audit log says of a record."""
    return {
        member.fact or member.name: _as(_LOG, member, record)
        for member in members
        if member.fact is not None
    }


def _as(kinds: Mapping[Kind, Callable[[Any], object]], member: Member, record: object) -> object:
    value = getattr(record, member.name)
    as_kind = kinds.get(member.kind)
    return value if value is None or as_kind is None else as_kind(value)


def widening(members: Members) -> dict[str, Widens]:
    """The members of which not every change gives more power, and when one does."""
    return {member.name: member.widens for member in members if member.widens is not None}


def more(before: Sequence[str], after: Sequence[str]) -> bool:
    """The set has a member that it did not have."""
    return bool(set(after) - set(before))


def more_or_all(before: Sequence[str] | None, after: Sequence[str] | None) -> bool:
    """Likewise, where None stands for everything."""
    return before is not None and (after is None or more(before, after))


def later(before: int | None, after: int | None) -> bool:
    """It lasts longer than it did; None is for ever."""
    return before is not None and (after is None or after > before)


def turned_on(_before: object, after: object) -> bool:
    """It gives power while it is on."""
    return bool(after)


def turned_off(_before: object, after: object) -> bool:
    """It takes power while it is on."""
    return not after


def more_keys(before: Sequence[object], after: Sequence[object]) -> bool:
    """A key is there that was not."""
    return any(key not in before for key in after)


def prose(what: str, longest: int) -> Check:
    """A check of a line that people read; an empty one is none."""

    def check(_tx: Unit, raw: str) -> str | None:
        if not raw:
            return None
        try:
            return check_prose(raw, what=what, max_chars=longest)
        except ValueError as error:
            raise Invalid(f"{error}.") from None

    return check


def unique(_tx: Unit, values: Sequence[str]) -> tuple[str, ...]:
    """Each of them once."""
    return tuple(dict.fromkeys(values))
