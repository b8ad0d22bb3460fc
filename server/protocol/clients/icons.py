"""Validates agents' icons by their bytes.

Owns: the rules for a small, square, static PNG (ISO 15948) or WebP (RFC 9649). Never: drawing or
downloading icons. SVG, animations and files with trailing data are refused.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = 32 * 1024
MIN_SIDE: Final = 16
MAX_SIDE: Final = 512

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_TRAILING_DATA: Final = "has data after the end of the image"
_ANIMATION: Final = "is animated; use a still image"
_LOSSY_START: Final = b"\x9d\x01\x2a"
_LOSSLESS_START: Final = 0x2F
_ANIMATION_FLAG: Final = 0x02


@dataclass(frozen=True, slots=True)
class Icon:
    """A validated icon, with the hash of its bytes."""

    digest: str
    media_type: str
    body: bytes


def read(raw: bytes) -> Icon:
    """Validate an icon file. Raises ValueError, which says what is wrong."""
    if len(raw) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES // 1024} kB")
    if raw.startswith(_PNG):
        media_type, size = "image/png", _read_png_size(raw)
    elif raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        media_type, size = "image/webp", _read_webp_size(raw)
    else:
        raise ValueError("is neither PNG nor WebP")
    width, height = size
    if width != height or not MIN_SIDE <= width <= MAX_SIDE:
        raise ValueError(
            f"is {width} by {height} pixels; it must be square, {MIN_SIDE} to {MAX_SIDE} a side"
        )
    return Icon(hashlib.sha256(raw).hexdigest(), media_type, raw)


def _read_png_size(raw: bytes) -> tuple[int, int]:
    """Return width and height. Check that all chunks are complete and nothing follows the last."""
    kinds = []
    head = b""
    for kind, data in _png_chunks(raw):
        kinds.append(kind)
        head = head or data
    if kinds[:1] != [b"IHDR"] or len(head) != struct.calcsize(">IIBBBBB") or b"IDAT" not in kinds:
        raise ValueError("is not a complete PNG")
    if b"acTL" in kinds:
        raise ValueError(_ANIMATION)
    width, height = struct.unpack(">II", head[:8])
    return int(width), int(height)


def _png_chunks(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, kind = len(_PNG), b""
    while at < len(raw):
        if kind == b"IEND":
            raise ValueError(_TRAILING_DATA)
        length = int.from_bytes(raw[at : at + 4])
        kind, data = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        check = raw[at + 8 + length : at + 12 + length]
        if len(check) != 4 or int.from_bytes(check) != zlib.crc32(kind + data):  # noqa: PLR2004  # bytes
            raise ValueError("is a PNG with a broken chunk")
        yield kind, data
        at += 12 + length
    if kind != b"IEND":
        raise ValueError("is not a complete PNG")


def _read_webp_size(raw: bytes) -> tuple[int, int]:
    chunks = dict(_webp_chunks(raw))
    if {b"ANIM", b"ANMF"} & chunks.keys():
        raise ValueError(_ANIMATION)
    extended_header = chunks.get(b"VP8X", b"")
    if extended_header and extended_header[0] & _ANIMATION_FLAG:
        raise ValueError(_ANIMATION)
    image_sizes = {
        _read_lossy_size(chunks.get(b"VP8 ", b"")),
        _read_lossless_size(chunks.get(b"VP8L", b"")),
    } - {None}
    if len(image_sizes) != 1:
        raise ValueError("is not a complete WebP")
    size = image_sizes.pop()
    assert size is not None  # noqa: S101  # removed above
    if (
        extended_header
        and (_read_dimension(extended_header[4:7]), _read_dimension(extended_header[7:10])) != size
    ):
        raise ValueError("is a WebP with two different sizes")
    return size


def _webp_chunks(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    if int.from_bytes(raw[4:8], "little") != len(raw) - 8:
        raise ValueError(_TRAILING_DATA)
    at = 12
    while at < len(raw):
        length = int.from_bytes(raw[at + 4 : at + 8], "little")
        data = raw[at + 8 : at + 8 + length]
        if len(data) != length or at + 8 > len(raw):
            raise ValueError("is a WebP with a broken chunk")
        yield raw[at : at + 4], data
        at += 8 + length + length % 2


def _read_lossy_size(data: bytes) -> tuple[int, int] | None:
    """Return the size of a lossy image (RFC 6386 9.1)."""
    if len(data) < 10 or data[3:6] != _LOSSY_START:  # noqa: PLR2004  # bytes of the header
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return width & 0x3FFF, height & 0x3FFF


def _read_lossless_size(data: bytes) -> tuple[int, int] | None:
    """Return the size of a lossless image (RFC 9649 3.4)."""
    if len(data) < 5 or data[0] != _LOSSLESS_START:  # noqa: PLR2004  # as above
        return None
    bits = int.from_bytes(data[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _read_dimension(raw: bytes) -> int:
    return int.from_bytes(raw, "little") + 1
