"""Compares how the pages' scripts and `server.audit_log` judge proofs and checkpoints.

Owns: the cases. The Python code has tests against known values and a different implementation.
"""

import base64
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.audit_log import merkle, notes
from server.audit_log.merkle import BadProof
from server.audit_log.notes import BadNote, Checkpoint, LogKey, Promise
from tests.support.builders.trees import Tree

_LEAVES = [merkle.node_hash(b"leaf", bytes([number])) for number in range(17)]
_ROOTS = [Tree.from_leaves(_LEAVES[:size]).root for size in range(len(_LEAVES) + 1)]
_NODES = Tree.from_leaves(_LEAVES).nodes
_SEED, _OTHER = b"s" * 32, b"t" * 32
_ORIGIN = "approvals.example.com/log"
_KEY = notes.public_key(_ORIGIN, _SEED)
_NEW_KEY = notes.public_key(_ORIGIN, _OTHER)
_NOTE = notes.sign(Checkpoint(_ORIGIN, 7, _ROOTS[7]), _SEED, 1_796_000_000)
_VOUCHER = notes.replacement(_NEW_KEY, _SEED)
_PROMISE = notes.promise(Promise("sayso_ae_1", _LEAVES[0], 1_796_000_000), _ORIGIN, _SEED)
_ROOT = base64.b64encode(_ROOTS[7]).decode()
_TEXTS = [
    *(f"{_ORIGIN}\n{size}\n{_ROOT}\n" for size in ("7", "07", "-7", "7.0", "1e1", " 7", "")),
    *(f"{_ORIGIN}\n7\n{root}\n" for root in (_ROOT[:-1], f"{_ROOT[:-2]}9=", "AAAA", "")),
    *(f"{origin}\n7\n{_ROOT}\n" for origin in ("other/log", "")),
    f"{_ORIGIN}\n7\n{_ROOT}\nmore\n",
    *(f"{name}\nreplaced by\n{_NEW_KEY.text}\n" for name in (_ORIGIN, "other/log")),
    *(f"{_ORIGIN}\n{words}\n{_NEW_KEY.text}\n" for words in ("replaces", "")),
    f"{_ORIGIN}\nreplaced by\n{_NEW_KEY.text}\nmore\n",
    f"{_ORIGIN}\nreplaced by\n{notes.public_key('other/log', _OTHER).text}\n",
    *(f"{name}\npromises entry e\n{_ROOT}\n7\n" for name in (_ORIGIN, "other/log")),
    *(f"{_ORIGIN}\npromises entry {item}\n{_ROOT}\n7\n" for item in ("", "a b", "e" * 65)),
    *(f"{_ORIGIN}\npromises entry e\n{_ROOT}\n{at}" for at in ("x\n", "-1\n", "7\nmore\n", "")),
    f"{_ORIGIN}\n",
    "\n",
]
"""Well-formed and malformed texts that are signed by the log's key."""
_SCRIPT = """
(async () => {
  const { isConsistent, isIncluded } = await import("/merkle.js");
  const { decoded, promised, readCheckpoint, readKey, replaced } = await import("/notes.js");
  const tree = ([size, root]) => ({ size, root: decoded(root) });
  const checks = {
    consistency: ([old, found, proof]) => isConsistent(tree(old), tree(found), proof.map(decoded)),
    inclusion: ([leaf, index, found, proof]) =>
      isIncluded(decoded(leaf), index, tree(found), proof.map(decoded)),
    checkpoint: async ([note, key]) => {
      const { size, at } = await readCheckpoint(note, await readKey(key));
      return [size, at];
    },
    key: async ([text]) => (await readKey(text)).text,
    promised: async ([note, key]) => {
      const { id, at } = await promised(note, await readKey(key));
      return [id, at];
    },
    replaced: async ([note, key]) => (await replaced(note, await readKey(key))).text,
  };
  const said = ([kind, ...rest]) => checks[kind](rest).catch(() => false);
  return Promise.all(CASES.map(said));
})()
"""


class Tab(Protocol):
    """A tab of either browser, at one of our pages."""

    def ask(self, expression: str) -> Any: ...  # whatever the page says


def differences(tab: Tab) -> list[Any]:
    """Return the cases that the scripts judge differently."""
    cases = [*_consistency(), *_inclusion(), *_notes()]
    verdicts = tab.ask(_SCRIPT.replace("CASES", json.dumps(cases)))
    expected = [_EXPECTED[kind](*rest) for kind, *rest in cases]
    assert [verdict for verdict in expected if verdict]
    assert [verdict for verdict in expected if not verdict]
    rows = zip(cases, verdicts, expected, strict=True)
    return [row for row in rows if row[1] != row[2]]


def _consistency() -> Iterable[list[Any]]:
    sizes = range(len(_ROOTS))
    for old, size in itertools.product(sizes, sizes):
        proof = merkle.consistency_proof(_NODES, old, size) if old <= size else []
        for changed in _changed(proof):
            yield ["consistency", _tree(old), _tree(size), [_text(item) for item in changed]]
        yield ["consistency", [old, _text(_ROOTS[1])], _tree(size), [_text(item) for item in proof]]


def _inclusion() -> Iterable[list[Any]]:
    for size in range(1, len(_ROOTS)):
        for index in range(size):
            proof = merkle.inclusion_proof(_NODES, index, size)
            for changed in _changed(proof):
                hashes = [_text(item) for item in changed]
                yield ["inclusion", _text(_LEAVES[index]), index, _tree(size), hashes]
            hashes = [_text(item) for item in proof]
            yield ["inclusion", _text(_LEAVES[index]), index + 1, _tree(size), hashes]


def _notes() -> Iterable[list[Any]]:
    for note, key in itertools.product((_NOTE, _VOUCHER, _PROMISE), (_KEY, _NEW_KEY)):
        for at in range(len(note)):
            changed = note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :]
            yield from ([kind, changed, key.text] for kind in _NOTES)
        yield from ([kind, note, key.text] for kind in _NOTES)
    for text in _TEXTS:
        yield from ([kind, _signed(text), _KEY.text] for kind in _NOTES)
    yield ["checkpoint", "".join(_NOTE.splitlines(keepends=True)[:-1]), _KEY.text]
    for text in ("", "a+b", _KEY.text[:-4], f"other{_KEY.text}", _KEY.text):
        yield ["key", text]


def _signed(text: str) -> str:
    """Return a note with any text and with both signatures of a checkpoint."""
    private, at = Ed25519PrivateKey.from_private_bytes(_SEED), 1_796_000_000
    timed = private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    lines = [
        notes._line(_KEY, b"\x01", private.sign(text.encode())),
        notes._line(_KEY, b"\x04", at.to_bytes(8) + timed),
    ]
    return f"{text}\n{''.join(lines)}"


def _changed(proof: list[bytes]) -> Iterable[list[bytes]]:
    yield proof
    yield [*proof, _LEAVES[0]]
    yield proof[:-1]
    for at in range(len(proof)):
        yield [*proof[:at], _LEAVES[0][::-1], *proof[at + 1 :]]


def _tree(size: int) -> list[Any]:
    return [size, _text(_ROOTS[size])]


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _holds(check: Callable[[], object]) -> bool:
    try:
        check()
    except BadProof:
        return False
    return True


def _is_consistent(old: list[Any], new: list[Any], proof: list[str]) -> bool:
    trees = (old[0], base64.b64decode(old[1]), new[0], base64.b64decode(new[1]))
    return _holds(lambda: merkle.check_consistency(*trees, [base64.b64decode(p) for p in proof]))


def _is_included(leaf: str, index: int, tree: list[Any], proof: list[str]) -> bool:
    hashes = [base64.b64decode(item) for item in proof]
    root = base64.b64decode(tree[1])
    return _holds(
        lambda: merkle.check_inclusion(base64.b64decode(leaf), index, tree[0], hashes, root)
    )


def _read(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except BadNote:
        return False


def _checkpoint(note: str, key: str) -> Any:
    verdict = _read(lambda: notes.verify(note, [LogKey.read(key)]))
    return verdict and [verdict[0].size, verdict[1]]


def _promised(note: str, key: str) -> Any:
    verdict = _read(lambda: notes.read_promise(note, LogKey.read(key)))
    return verdict and [verdict.entry_id, verdict.at]


_NOTES = ("checkpoint", "promised", "replaced")
_EXPECTED: dict[str, Callable[..., Any]] = {
    "consistency": _is_consistent,
    "inclusion": _is_included,
    "checkpoint": _checkpoint,
    "key": lambda text: _read(lambda: LogKey.read(text).text),
    "promised": _promised,
    "replaced": lambda note, key: _read(
        lambda: notes.read_replacement(note, LogKey.read(key)).text
    ),
}
