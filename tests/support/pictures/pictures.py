"""The pictures of the terminal app in README and docs: `scripts/pictures`.

Owns: their content and their files. Never: a screenshot taken by hand.
"""

import asyncio
import re
from pathlib import Path

from tests.support.clients.driving import WIDE, inbox, open_inbox, tick_screen, until
from tests.support.fakes.fake_app import Stage, make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_requests import DEPLOY, MINUTE
from tests.support.pictures import first_visit, gallery

INBOX = Path(__file__).parents[3] / "docs" / "pictures" / "inbox.svg"
_REMOTE_FONT = re.compile(r",\s*url\([^)]*\)\s*format\([^)]*\)")


async def draw_inbox() -> str:
    """Return the inbox with three requests and one that has just arrived, as SVG."""
    stage = make_stage(three_approvals())
    async with open_inbox(stage, WIDE) as pilot:
        late = an_approval(
            "late", DEPLOY, expires_in=9 * MINUTE, headline="Deploy api 1.0 to staging"
        )
        stage.request(late)
        await until(pilot, lambda: late.id in inbox(stage).state.arrived_ids)
        tick_screen(stage)
        await pilot.pause()
        return exported(stage)


async def draw_step(name: str) -> str:
    """Return one picture of a first visit, as SVG."""
    return await first_visit.draw(name, exported)


async def draw_shot(name: str) -> str:
    """Return one picture of the README's gallery, as SVG."""
    return await gallery.SHOTS[name].draw(exported)


def exported(stage: Stage) -> str:
    """Return what is on the screen as SVG that loads no remote fonts."""
    return _REMOTE_FONT.sub("", stage.app.export_screenshot(title="sayso-approver"))


async def _draw_all() -> None:
    INBOX.parent.mkdir(parents=True, exist_ok=True)
    INBOX.write_text(await draw_inbox(), encoding="utf-8")
    for name in first_visit.STEPS:
        path = first_visit.FOLDER / f"{name}.svg"
        path.write_text(await draw_step(name), encoding="utf-8")
    for name in gallery.SHOTS:
        path = gallery.FOLDER / f"{name}.svg"
        path.write_text(await draw_shot(name), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_draw_all())
