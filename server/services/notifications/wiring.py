"""The services of notifications, each made once."""

from server.model.store import Store
from server.services.notifications.feed import FeedService, Hub
from server.services.notifications.push_losses import PushLosses
from server.services.notifications.push_subscriptions import PushSubscriptions
from server.services.notifications.quiet import Quiet


class NotificationServices:
    """Tell people what changed, on the ways and at the times that they chose."""

    def __init__(self, store: Store, hub: Hub, push_subscriptions: PushSubscriptions) -> None:
        self.hub = hub
        self.feed = FeedService(store)
        self.push_losses = PushLosses(store)
        self.push_subscriptions = push_subscriptions
        self.quiet = Quiet(store)
