"""Says why a request does not notify, in a word and in a sentence.

Owns: the wording. Never: deciding whether it notifies, which the server does; high risk always
does.
"""

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.notifications.preferences import SNOOZED, Mute, NotificationPrefs
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import fmt

_NOT_QUIET = SafeText("")


def quiet_word(approval: Approval, prefs: NotificationPrefs) -> SafeText:
    """Return the word for the request's row; empty if the request notifies as usual."""
    if (hold := prefs.hold_of(approval.id)) is not None:
        return fmt("snoozed") if hold.why == SNOOZED else fmt("quiet hours")
    return fmt("muted") if _is_muted(approval, prefs) else _NOT_QUIET


def quiet_text(approval: Approval, prefs: NotificationPrefs, view: RenderContext) -> SafeText:
    """Return why it does not notify, and until when; empty if it notifies as usual."""
    hold = prefs.hold_of(approval.id)
    if hold is not None:
        until = view.clock(hold.until)
        if hold.why == SNOOZED:
            key = view.keys.key("snooze")
            return fmt("Snoozed until {}: no notifications for it. {} ends that.", until, key)
        return fmt("Quiet hours: you are notified at {}.", until)
    mute = prefs.mute_of(approval.agent.id) if _is_muted(approval, prefs) else None
    if mute is None:
        return _NOT_QUIET
    return fmt("{} {} ends that.", mute_text(mute, view), view.keys.key("mute"))


def mute_text(mute: Mute, view: RenderContext) -> SafeText:
    """Return that an agent is muted, and until when."""
    if mute.until is None:
        return fmt("{} is muted: no notifications for it.", mute.agent_name)
    return fmt("{} is muted until {}.", mute.agent_name, view.clock(mute.until))


def _is_muted(approval: Approval, prefs: NotificationPrefs) -> bool:
    can_be_muted = approval.risk.rank < Risk.HIGH.rank
    return can_be_muted and prefs.mute_of(approval.agent.id) is not None
