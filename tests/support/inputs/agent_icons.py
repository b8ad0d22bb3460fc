"""Icons of agents, assembled by hand: valid ones, and each kind of invalid one."""

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """Return a chunk of a PNG, with its length and its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int = 32,
    height: int = 32,
    rgb: tuple[int, int, int] = (31, 95, 85),
    *more: bytes,
) -> bytes:
    """Return a PNG of one color; `more` are chunks before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = (b"\0" + bytes(rgb) * width) * height
    return b"".join(
        (_SIGNATURE, header, *more, chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND"))
    )


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a WebP file of these chunks."""
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def lossy(width: int = 32, height: int = 32) -> tuple[bytes, bytes]:
    """Return the header of a lossy bitstream (RFC 6386 9.1)."""
    return b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0\0"


def lossless(width: int = 32, height: int = 32) -> tuple[bytes, bytes]:
    """Return the header of a lossless bitstream (RFC 9649 3.4)."""
    return b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)


def extended(width: int = 32, height: int = 32, flags: int = 0) -> tuple[bytes, bytes]:
    """Return the header of the extended format (RFC 9649 2.7)."""
    dimensions = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes([flags, 0, 0, 0]) + dimensions
