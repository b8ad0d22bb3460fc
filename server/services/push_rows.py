"""What the services need of the rows of push subscriptions. MUST is a promise of storage."""

from typing import Protocol

from server.services.push_records import PushLoss, PushService, PushSubscription


class PushRows(Protocol):
    """Push subscriptions. An endpoint MUST be there once."""

    def add(self, subscription: PushSubscription) -> None: ...
    def get(self, subscription_id: str) -> PushSubscription | None: ...
    def by_endpoint(self, endpoint_hash: bytes) -> PushSubscription | None: ...
    def of_user(self, user_id: str) -> list[PushSubscription]:
        """Those of devices that are active."""

    def targets(self, user_id: str) -> list[tuple[str, str]]:
        """Ids and origins of the same."""

    def opened(self, subscription: PushSubscription) -> None:
        """Its browser was heard of: keep device, address and moment; warnings are over."""

    def delivered(self, subscription_id: str, now: int) -> None: ...
    def faulty(self, subscription_id: str, problem: str) -> bool:
        """Reports whether it had no problem before."""

    def remove(self, subscription_id: str) -> bool: ...
    def dormant(self, before: int, limit: int) -> list[PushSubscription]:
        """Those that nobody has opened since, and that were not warned."""

    def warned(self, subscription_id: str, now: int) -> None: ...
    def silent(self, before: int, limit: int) -> list[PushSubscription]:
        """Those that were neither opened nor reached since, nor checked."""

    def checked(self, subscription_id: str, now: int) -> None: ...
    def lose(self, loss: PushLoss) -> None: ...
    def losses(self, user_id: str) -> list[PushLoss]:
        """Those of devices that are active, the latest first."""

    def found(self, device_id: str) -> None:
        """It is called again: nothing of it is lost."""

    def seen(self, user_id: str, subscription_id: str) -> bool:
        """The person wants to hear no more of a loss; reports whether it was theirs."""

    def services(self) -> list[PushService]:
        """Every push service with how it stands, by its origin."""

    def faults(self) -> list[tuple[str, str, int]]:
        """Origins whose push service refuses: the newest reason, and how many browsers."""

    def prune(self) -> None:
        """Drop those, and losses, of devices that are not active any more."""
