"""Creates the notification services."""

from collections.abc import Callable

from server.model.approval_requests import FindForApprover
from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.store import Store, View
from server.services.notifications.feed import FeedService, Hub
from server.services.notifications.notification_settings import NotificationSettingsService
from server.services.notifications.push_losses import PushLosses
from server.services.notifications.push_subscriptions import PushSubscriptions


class NotificationServices:
    """The notification services."""

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
        self.settings = NotificationSettingsService(store, owned)
