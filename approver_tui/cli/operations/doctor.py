"""`sayso-approver doctor`: finds what is weak or broken here, and how to fix it.

Owns: checking and testing the terminal and the desktop. `client.operations.diagnosis` checks the
files and the server.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace

import click

from approver_tui import settings
from approver_tui.attention import desktop, terminal_sequences
from approver_tui.attention.alert_schedule import alert_text
from approver_tui.attention.preferences import AlertLevel, TerminalSequence
from approver_tui.attention.terminal_environment import TerminalEnvironment
from approver_tui.cli.inputs import warnings
from approver_tui.cli.notifications.alerts import write_to_stderr
from approver_tui.cli.printing import as_json, name_profile, print_result, program
from approver_tui.cli.sign_in.homes import this_home
from approver_tui.client.api import open_client
from approver_tui.client.errors import BrokenProfile, BrokenSettings, LoginFirst
from approver_tui.client.operations import diagnosis
from approver_tui.client.operations.diagnosis import Finding, Severity
from approver_tui.client.sign_in.profile import Home
from approver_tui.settings import Settings
from approver_tui.state.risks import Risk

_LOGIN_FIX = "Log in with: sayso-approver login URL"
_MIN_SIZE = (40, 12)
_SEVERITY_ORDER = tuple(Severity)


@click.command("doctor")
@click.option(
    "--notify", is_flag=True, help="Test every kind of notification, and report what was sent."
)
@as_json
@click.pass_context
def doctor(context: click.Context, *, notify: bool) -> None:
    """Check everything without changing anything. Exits with 1 when something is broken."""
    test_results: list[str] = []
    findings = [*diagnosis.permanent_findings()]
    try:
        loaded = settings.load()
        loaded.keymap  # noqa: B018  # reading it detects two actions with one key
    except BrokenSettings as error:  # without settings, nothing else can be checked
        fix = f"Fix {settings.settings_file()}, or remove it"
        findings.insert(0, Finding(Severity.BROKEN, str(error), fix))
    else:
        test_results += _test_notifications(loaded.terminal_environment) if notify else []
        findings = [*_login_findings(this_home()), *_terminal_findings(loaded), *findings]
    findings = [replace(finding, fix=name_profile(finding.fix, program())) for finding in findings]
    findings.sort(key=lambda finding: _SEVERITY_ORDER.index(finding.level))
    is_broken = any(finding.level is Severity.BROKEN for finding in findings)
    print_result(
        _document(findings, test_results, is_broken=is_broken),
        _lines(findings, test_results, is_broken=is_broken),
    )
    if is_broken:
        context.exit(1)


def _document(findings: list[Finding], tested: list[str], *, is_broken: bool) -> dict[str, object]:
    items = [asdict(finding) for finding in findings]
    return {"schema": "sayso.doctor/1", "items": items, "broken": is_broken, "tried": tested}


def _lines(findings: list[Finding], tested: list[str], *, is_broken: bool) -> list[str]:
    text = list(tested)
    if tested:
        text += ["Saw or heard nothing? Try: sayso-approver config set notify_terminal osc9", ""]
    for finding in findings:
        word = (
            finding.level.value.upper() if finding.level is Severity.BROKEN else finding.level.value
        )
        text += [f"{word:<7} {finding.what}", f"        {finding.fix}"]
    return text if is_broken else [*text, "Nothing is broken."]


def _login_findings(home: Home) -> Iterator[Finding]:
    yield from diagnosis.file_findings(home)
    yield diagnosis.profile_finding(home)
    try:
        client = open_client(home, clock=settings.wall_clock)
    except (LoginFirst, BrokenProfile) as error:
        yield Finding(Severity.BROKEN, str(error), _LOGIN_FIX)
        return
    with closing(client):
        for warning in warnings(client):
            fix = "Print a unit file with: sayso serve --systemd-unit"
            yield Finding(Severity.WEAK, warning, fix)
        yield from diagnosis.installation_findings(client)
        yield from diagnosis.server_findings(client)


def _terminal_findings(loaded: Settings) -> Iterator[Finding]:
    environment = loaded.terminal_environment
    if environment.is_dumb:
        yield Finding(
            Severity.NOTE,
            "This terminal supports only plain lines (TERM=dumb).",
            "The app uses its line mode here.",
        )
    elif sys.stdout.isatty():
        yield from _screen_findings()
    if environment.is_in_tmux and not _tmux_allows_passthrough():
        yield Finding(
            Severity.WEAK,
            "tmux blocks notifications.",
            "In ~/.tmux.conf: set -g allow-passthrough on",
        )
    yield _alert_finding(loaded)


def _screen_findings() -> Iterator[Finding]:
    size = shutil.get_terminal_size()
    if size.columns < _MIN_SIZE[0] or size.lines < _MIN_SIZE[1]:
        yield Finding(
            Severity.WEAK,
            f"The window has {size.columns} columns and {size.lines} lines.",
            "The app needs 40 columns and 12 lines. Or use: sayso-approver review --plain",
        )
    if "utf" not in (sys.stdout.encoding or "").lower():
        yield Finding(
            Severity.WEAK,
            f"The output encoding is {sys.stdout.encoding}, so names may be unreadable.",
            "Set LANG to a locale with UTF-8, such as C.UTF-8.",
        )


def _alert_finding(loaded: Settings) -> Finding:
    """Return how a high-risk alert would be shown here."""
    environment, alert_preferences = loaded.terminal_environment, loaded.preferences
    level, sequence = (
        alert_preferences.level(Risk.HIGH),
        terminal_sequences.choose_sequence(alert_preferences.sequence, environment),
    )
    if level is not AlertLevel.DESKTOP:
        fix = "Change it with: sayso-approver config set notify_high desktop"
        return Finding(Severity.NOTE, f"Notifications for high risk: {level.value}.", fix)
    if sequence is not TerminalSequence.NONE:
        what = f"High-risk requests ring the bell and send {sequence.value} to this terminal."
        return Finding(Severity.NOTE, what, "Test it with: sayso-approver doctor --notify")
    if environment.has_desktop and not environment.is_remote and (name := desktop.find_program()):
        what = f"High-risk requests ring the bell and call {name}."
        return Finding(Severity.NOTE, what, "Test it with: sayso-approver doctor --notify")
    return Finding(
        Severity.NOTE,
        "Only the bell can notify you here: this terminal is not known to support notifications.",
        "If it does: sayso-approver config set notify_terminal osc9, osc777 or osc99",
    )


def _test_notifications(environment: TerminalEnvironment) -> Iterator[str]:
    """Send an alert over every channel, each with its own text, to show which channels work."""
    is_terminal = sys.stderr.isatty()
    if is_terminal:
        write_to_stderr(terminal_sequences.BELL)
    yield "Rang the bell." if is_terminal else "No bell: stderr is not a terminal."
    for sequence in (TerminalSequence.OSC9, TerminalSequence.OSC777, TerminalSequence.OSC99):
        if environment.is_dumb or not is_terminal:
            yield f"No {sequence.value}: there is no terminal to send it to."
            continue
        text = f"{alert_text([Risk.HIGH])} (test: {sequence.value})"
        write_to_stderr(terminal_sequences.notification_sequence(sequence, text, environment))
        yield f"Wrote {sequence.value}{_wrapper_text(environment)}."
    problem = desktop.show(f"{alert_text([Risk.HIGH])} (test: desktop)")
    sent_text = f"Sent a desktop notification with {desktop.find_program()}."
    yield sent_text if not problem else f"No desktop notification: {problem}."


def _wrapper_text(environment: TerminalEnvironment) -> str:
    if environment.is_in_tmux:
        return " through tmux"
    return " through screen" if environment.is_in_screen else ""


def _tmux_allows_passthrough() -> bool:
    program = shutil.which("tmux")
    if program is None:
        return False
    command = [program, "show-options", "-gv", "allow-passthrough"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)  # noqa: S603  # fixed words
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.stdout.strip() in {"on", "all"}
