"""The endpoints for web push subscriptions."""

from typing import Final

from server.http import cookies
from server.http.notifications import push_wire as wire
from server.http.route import HttpRequest, own
from server.http.site import Site
from server.services.users.device_auth import Person


@own("GET /api/push-subscriptions")
def list_subscriptions(site: Site, request: HttpRequest, person: Person) -> wire.PushSubscriptions:
    """List the browsers that receive your notifications, and get the key to add one."""
    cookie = cookies.session_cookie(site.server_policy, request)
    return wire.PushSubscriptions(
        public_key=site.notifications.push_subscriptions.public_key,
        csrf=site.devices.browsers.csrf(cookie) if cookie else None,
        items=[
            wire.push_subscription(subscription, site.clock.now())
            for subscription in site.notifications.push_subscriptions.of_person(person)
        ],
        lost=[
            wire.lost_push(loss) for loss in site.notifications.push_subscriptions.lost_by(person)
        ],
    )


@own("POST /api/push-subscriptions", errors=(409, 422))
def subscribe(
    site: Site, _request: HttpRequest, person: Person, body: wire.NewPushSubscription
) -> wire.PushSubscription:
    """Add or refresh this browser for notifications."""
    subscription = site.notifications.push_subscriptions.subscribe(person, body.record())
    return wire.push_subscription(subscription, site.clock.now())


@own("DELETE /api/push-subscriptions/<id>", errors=(404,))
def unsubscribe(site: Site, request: HttpRequest, person: Person) -> None:
    """Stop notifications in a browser."""
    site.notifications.push_subscriptions.unsubscribe(person, request.params["id"])


@own("POST /api/push-subscriptions/<id>/test", errors=(404, 409))
def test(site: Site, request: HttpRequest, person: Person) -> None:
    """Send a test notification to a browser."""
    site.notifications.push_subscriptions.test(person, request.params["id"])


PUSH_ROUTES: Final = (list_subscriptions, subscribe, unsubscribe, test)
