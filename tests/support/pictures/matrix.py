"""The table of pictures by screen and state, and why some states cannot occur.

Owns: the table, and the page of the documentation that
`python -m tests.support.pictures.matrix` writes from it.
Never: draws; the names are those of the files under `tests/snapshots`, which exist in both sizes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import quote

STATES = ("empty", "one", "many", "expired", "offline", "high risk", "hostile text")


@dataclass(frozen=True, slots=True)
class Impossible:
    """The state cannot occur on this screen."""

    because: str
    proved: str = ""
    """The test (`file::test`) that proves the reason, if the reason is not obvious."""


Cell: TypeAlias = str | Impossible
"""The name of the picture, with `{}` for the size, or the reason why no picture exists."""

_ONE_REQUEST = Impossible("a panel shows one request")
_ONE_PAGE = Impossible("there is only one page")
_NO_RISK = Impossible("it shows no requests or permissions")
_NO_END = Impossible("nothing on it expires")
_ONLY_SCREEN = Impossible(
    "high-risk requests are decided one by one",
    "state/approvals/test_selection.py::test_requests_with_other_steps_are_answered_individually",
)
_NOTHING_KNOWN = Impossible("it is shown only while the app loads")


def _panel(name: str, **other: Cell) -> dict[str, Cell]:
    """Return the states of a panel that decides a request."""
    return {
        "empty": Impossible("it opens only for a request"),
        "many": _ONE_REQUEST,
        "expired": f"test_panel_states/test_expired_in_a_panel[{name}][{{}}]",
        "offline": f"test_panel_states/test_offline_in_a_panel[{name}][{{}}]",
        "hostile text": f"test_panel_states/test_hostile_text_in_a_panel[{name}][{{}}]",
        **other,
    }


def _page(name: str, **other: Cell) -> dict[str, Cell]:
    """Return the states of a page."""
    return {
        "empty": f"test_pages/test_empty[{name}][{{}}]",
        "one": f"test_pages/test_one_read[{name}][{{}}]",
        "many": f"test_pages/test_many[{name}][{{}}]",
        "offline": f"test_pages/test_offline[{name}][{{}}]",
        "hostile text": f"test_pages/test_hostile_text[{name}][{{}}]",
        **other,
    }


MATRIX: Mapping[str, Mapping[str, Cell]] = MappingProxyType(
    {
        "InboxScreen": {
            "empty": "test_screens/test_inbox_empty[{}]",
            "one": "test_screens/test_inbox_one[{}]",
            "many": "test_screens/test_inbox_many[{}]",
            "expired": "test_screens/test_expired[{}]",
            "offline": "test_screens/test_offline[{}]",
            "high risk": "test_screens/test_detail_high_risk[{}]",
            "hostile text": "test_screens/test_hostile_text[{}]",
        },
        "ApprovePanel": _panel(
            "approve",
            one="test_screens/test_approve_panel_ready[{}]",
            **{"high risk": "test_screens/test_approve_panel[{}]"},
        ),
        "DenyPanel": _panel(
            "deny",
            one="test_screens/test_sign_in_denied[{}]",
            **{"high risk": "test_screens/test_deny_panel[{}]"},
        ),
        "NarrowPanel": _panel(
            "less",
            one="test_narrow/test_narrow_at_first[{}]",
            **{"high risk": "test_narrow/test_narrow_preview[{}]"},
        ),
        "StandingGrantPanel": _panel(
            "similar",
            one="test_standing_grants/test_grant_panel_at_first[{}]",
            expired="test_states/test_grant_panel_past_request[{}]",
            offline="test_states/test_grant_panel_offline[{}]",
            **{
                "high risk": "test_standing_grants/test_grant_panel_preview[{}]",
                "hostile text": "test_standing_grants/test_grant_panel_hostile_text[{}]",
            },
        ),
        "OpenElsewherePanel": _panel(
            "elsewhere",
            one="test_screens/test_elsewhere[{}]",
            **{"high risk": "test_screens/test_elsewhere_high_risk[{}]"},
        ),
        "ReportPanel": _panel(
            "report",
            one="test_narrow/test_report_at_first[{}]",
            expired="test_narrow/test_report_of_a_past_request[{}]",
            **{"high risk": "test_narrow/test_report[{}]"},
        ),
        **{
            panel: {
                "empty": Impossible("it opens only for selected requests"),
                "one": f"test_batch/test_batch_of_one[{name}][{{}}]",
                "many": f"test_batch/test_batch[{name}][{{}}]",
                "expired": f"test_batch/test_expired_in_a_batch[{name}][{{}}]",
                "offline": f"test_batch/test_offline_in_a_batch[{name}][{{}}]",
                "high risk": _ONLY_SCREEN,
                "hostile text": f"test_batch/test_hostile_text_in_a_batch[{name}][{{}}]",
            }
            for panel, name in (("BatchApprovePanel", "approve"), ("BatchDenyPanel", "deny"))
        },
        "ResultsPanel": {
            "empty": Impossible("it opens only after a decision"),
            "one": "test_batch/test_results_before_denials_are_sent[{}]",
            "many": "test_batch/test_results[{}]",
            "expired": "test_batch/test_results_expired[{}]",
            "offline": "test_batch/test_results_connection_lost[{}]",
            "high risk": _ONLY_SCREEN,
            "hostile text": "test_batch/test_results_with_hostile_text[{}]",
        },
        "ConfirmPanel": {
            "empty": Impossible("it opens only for a selected item"),
            "one": "test_pages/test_before_ending[{}]",
            "many": Impossible("it confirms one action at a time"),
            "expired": _NO_END,
            "offline": "test_states/test_offline_before_ending[{}]",
            "high risk": "test_pages/test_before_vouching[{}]",
            "hostile text": "test_states/test_hostile_text_before_ending[{}]",
        },
        "HistoryPage": _page(
            "history",
            expired="test_states/test_history_expired[{}]",
            **{"high risk": "test_pages/test_history_end[{}]"},
        ),
        "AgentsPage": _page(
            "agents",
            expired="test_states/test_agent_whose_request_expired[{}]",
            **{"high risk": Impossible("the list shows scopes and headlines, no risk")},
        ),
        "RightsPage": _page(
            "rights",
            expired="test_standing_grants/test_grants_many[{}]",
            **{"high risk": "test_standing_grants/test_grant_read[{}]"},
        ),
        "DevicesPage": _page(
            "devices",
            expired=Impossible("a device does not expire; *many* shows a revoked one"),
            **{"high risk": "test_pages/test_device_without_high_risk[{}]"},
        ),
        "SettingsPage": {
            "empty": Impossible("there are always settings"),
            "one": "test_settings/test_setting_read[{}]",
            "many": "test_settings/test_servers[{}]",
            "expired": _NO_END,
            "offline": "test_states/test_settings_offline[{}]",
            "high risk": _NO_RISK,
            "hostile text": "test_states/test_settings_hostile_text[{}]",
        },
        "HelpScreen": {
            "empty": "test_screens/test_help[{}]",
            "one": "test_states/test_help_approve_available[{}]",
            "many": _ONE_PAGE,
            "expired": "test_states/test_expired_over_the_inbox[help][{}]",
            "offline": "test_states/test_offline_over_the_inbox[help][{}]",
            "high risk": "test_states/test_help_high_risk[{}]",
            "hostile text": "test_states/test_hostile_text_over_the_inbox[help][{}]",
        },
        "Palette": {
            "empty": "test_states/test_palette_empty[{}]",
            "one": "test_settings/test_palette_of_one[{}]",
            "many": "test_settings/test_palette[{}]",
            "expired": "test_states/test_expired_over_the_inbox[palette][{}]",
            "offline": "test_states/test_offline_over_the_inbox[palette][{}]",
            "high risk": _NO_RISK,
            "hostile text": "test_states/test_hostile_text_over_the_inbox[palette][{}]",
        },
        "SignInScreen": {
            "empty": "test_settings/test_first_minute[{}]",
            "one": "test_settings/test_first_minute_refused[{}]",
            "many": _ONE_PAGE,
            "expired": "test_states/test_sign_in_refused[expired][{}]",
            "offline": "test_states/test_sign_in_refused[offline][{}]",
            "high risk": _NO_RISK,
            "hostile text": "test_states/test_sign_in_refused[hostile][{}]",
        },
        "DeviceAuthorizationPanel": {
            "empty": Impossible("it always shows a code"),
            "one": "test_settings/test_first_minute_device_authorization[{}]",
            "many": _ONE_PAGE,
            "expired": "test_states/test_device_authorization[expired][{}]",
            "offline": Impossible(
                "the panel closes, and the sign-in screen says that the server is unreachable",
                "test_signing_in.py::test_a_lost_server_closes_the_device_authorization",
            ),
            "high risk": _NO_RISK,
            "hostile text": "test_states/test_device_authorization[hostile][{}]",
        },
        "OpeningScreen": {
            "empty": "test_states/test_opening[{}]",
            **dict.fromkeys(STATES[1:], _NOTHING_KNOWN),
        },
    }
)
"""Every screen, by the name of its class, with all its states."""

GALLERY = Path(__file__).parents[3] / "docs" / "gallery.md"
SIZES = ("100x30", "40x24")
_WIDTHS = {"100x30": 520, "40x24": 230}
"""The width of a picture on the page; a click opens it in full size."""
_PICTURES = "../tests/snapshots/__snapshots__"
_INTRODUCTION = """\
# Every screen in every state

For everyone who wants to see the terminal app before they install it, and for contributors. Each
screen is shown in each state, on a standard terminal and on a very small one. If a state cannot
occur, the reason is given. Click a picture to enlarge it. Tests compare the pictures with the app.

"""


def gallery() -> str:
    """Return the table as a page in Markdown."""
    contents = [f"- [{name}](#{name.lower()})" for name in MATRIX]
    sections = [_section(name, row) for name, row in MATRIX.items()]
    return "\n".join([f"{_INTRODUCTION}{_lines(contents)}", *sections])


def _lines(each: list[str]) -> str:
    return "".join(f"{line}\n" for line in each)


def _section(name: str, row: Mapping[str, Cell]) -> str:
    lines = [f"| {state} | {_shown(name, state, row[state])} |" for state in STATES]
    head = [f"| state | {' | '.join(SIZES)} |", f"|---|{'---|' * len(SIZES)}"]
    return "\n".join([f"## {name}", "", *head, *lines, ""])


def _shown(name: str, state: str, cell: Cell) -> str:
    if isinstance(cell, Impossible):
        return f"not applicable: {cell.because} |"
    return " | ".join(_image(f"{name}, {state}, {size}", cell.format(size), size) for size in SIZES)


def _image(words: str, picture: str, size: str) -> str:
    path = f"{_PICTURES}/{quote(picture)}.svg"
    return f'<a href="{path}"><img src="{path}" width="{_WIDTHS[size]}" alt="{words}"></a>'


if __name__ == "__main__":
    GALLERY.write_text(gallery(), encoding="utf-8")
