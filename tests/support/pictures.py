"""The picture of the terminal app in the README: `python -m tests.support.pictures` draws it.

Owns: what is on it, and where it lies. Never: a screenshot taken by hand.
"""

import asyncio
import re
from pathlib import Path

from tests.support.fake_client import DEPLOY, MINUTE, a_stage, an_approval, three
from tests.support.pilots import WIDE, inbox, look, opened, until

INBOX = Path(__file__).parents[2] / "docs" / "pictures" / "inbox.svg"
_REMOTE_FONT = re.compile(r",\s*url\([^)]*\)\s*format\([^)]*\)")


async def draw_inbox() -> str:
    """Return the inbox with three requests and one that has just arrived, as SVG."""
    stage = a_stage(three())
    async with opened(stage, WIDE) as pilot:
        late = an_approval("late", DEPLOY, left=9 * MINUTE, headline="Deploy api 1.0 to staging")
        stage.request(late)
        await until(pilot, lambda: late.id in inbox(stage).table.arrived)
        look(stage)
        await pilot.pause()
        return _REMOTE_FONT.sub("", stage.app.export_screenshot(title="sayso-approver"))


if __name__ == "__main__":
    INBOX.parent.mkdir(parents=True, exist_ok=True)
    INBOX.write_text(asyncio.run(draw_inbox()), encoding="utf-8")
