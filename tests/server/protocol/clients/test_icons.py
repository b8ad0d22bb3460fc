"""Agent icons must be small, square, complete and not animated."""

import hashlib

import pytest

from server.protocol.clients import icons
from tests.support.inputs.agent_icons import chunk, extended, lossless, lossy, png, webp


@pytest.mark.parametrize("side", [16, 512])
def test_a_square_png_is_accepted(side):
    """A PNG is stored unchanged, with the hash of its bytes."""
    raw = png(side, side)
    assert icons.read(raw) == icons.Icon(hashlib.sha256(raw).hexdigest(), "image/png", raw)


@pytest.mark.parametrize("parts", [[lossy()], [lossless()], [extended(flags=0x10), lossy()]])
def test_a_square_webp_is_accepted(parts):
    """WebP has three formats; the extended one in this test has an alpha channel."""
    assert icons.read(webp(*parts)).media_type == "image/webp"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "neither PNG nor WebP"),
        (b"GIF89a" + bytes(40), "neither PNG nor WebP"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "neither PNG nor WebP"),
        (b"RIFF\x04\0\0\0WAVE", "neither PNG nor WebP"),
        (png(32, 31), "is 32 by 31 pixels"),
        (png(15, 15), "is 15 by 15 pixels"),
        (png(513, 513), "is 513 by 513 pixels"),
        (webp(lossy(64, 32)), "is 64 by 32 pixels"),
        (webp(lossless(513, 513)), "is 513 by 513 pixels"),
        (png() + bytes(icons.MAX_BYTES), "is larger than 32 kB"),
        (png() + b"<script>", "has data after the end of the image"),
        (webp(lossy()) + b"<script>", "has data after the end of the image"),
        (png()[:-12], "not a complete PNG"),
        (png()[:33] + chunk(b"IEND"), "not a complete PNG"),
        (png()[:30], "broken chunk"),
        (png()[:40] + b"\0" + png()[41:], "broken chunk"),
        (png(32, 32, (0, 0, 0), chunk(b"acTL", bytes(8))), "is animated"),
        (webp(extended(flags=2), lossy()), "is animated"),
        (webp((b"ANIM", bytes(6)), lossy()), "is animated"),
        (webp((b"EXIF", b"x")), "not a complete WebP"),
        (webp(lossy(), lossless(16, 16)), "not a complete WebP"),
        (webp((b"VP8 ", b"short")), "not a complete WebP"),
        (webp(extended(512, 512), lossy()), "two different sizes"),
        (b"RIFF\x0e\0\0\0WEBPVP8 \x63\0\0\0xx", "broken chunk"),
    ],
    ids=map(str, range(24)),
)
def test_any_other_icon_file_is_refused_with_the_reason(raw, why):
    """A file must be a complete, square, static PNG or WebP of a limited size."""
    with pytest.raises(ValueError, match=why):
        icons.read(raw)
