"""The services of notifications, each made once."""

from collections.abc import Callable

from server.model.approval_requests import FindForApprover
from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.store import Store, View
from server.services.notifications.feed import FeedService, Hub
from server.services.notifications.push_losses import PushLosses
from server.services.notifications.push_subscriptions import PushSubscriptions
from server.services.notifications.quiet import Quiet


class NotificationServices:
    """Tell people what changed, on the ways and at the times that they chose."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        push_subscriptions: PushSubscriptions,
        shown: Callable[[View, Approval, str], ApproverView],
        owned: FindForApprover,
    ) -> None:
        self.hub = hub
        self.feed = FeedService(store, shown)
        self.push_losses = PushLosses(store)
        self.push_subscriptions = push_subscriptions
        self.quiet = Quiet(store, owned)
