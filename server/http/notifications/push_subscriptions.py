"""The endpoints for web push subscriptions."""

from typing import Final

from server.http import cookies
from server.http.notifications import push_wire as wire
from server.http.route import HttpRequest, own
from server.http.site import Site
from server.services.users.device_auth import Person


def listed(site: Site, request: HttpRequest, person: Person) -> wire.PushSubscriptions:
    """GET /api/push-subscriptions."""
    cookie = cookies.of(site.server_policy, request)
    return wire.PushSubscriptions(
        public_key=site.notifications.push_subscriptions.public_key,
        csrf=site.devices.browsers.csrf(cookie) if cookie else None,
        items=[
            wire.push_subscription(one, site.clock.now())
            for one in site.notifications.push_subscriptions.of_person(person)
        ],
        lost=[wire.lost_push(one) for one in site.notifications.push_losses.of_person(person)],
    )


def subscribe(
    site: Site, _request: HttpRequest, person: Person, body: wire.NewPushSubscription
) -> wire.PushSubscription:
    """POST /api/push-subscriptions."""
    named = site.notifications.push_subscriptions.subscribe(person, body.record())
    return wire.push_subscription(named, site.clock.now())


def unsubscribe(site: Site, request: HttpRequest, person: Person) -> None:
    """DELETE /api/push-subscriptions/<id>."""
    site.notifications.push_subscriptions.unsubscribe(person, request.params["id"])


def test(site: Site, request: HttpRequest, person: Person) -> None:
    """POST /api/push-subscriptions/<id>/test."""
    site.notifications.push_subscriptions.test(person, request.params["id"])


PUSH_ROUTES: Final = (
    own(
        "GET /api/push-subscriptions",
        listed,
        "List the browsers that notify you, and get the key to add one.",
    ),
    own(
        "POST /api/push-subscriptions",
        subscribe,
        "Add or refresh this browser for notifications.",
        errors=(409, 422),
    ),
    own(
        "DELETE /api/push-subscriptions/<id>",
        unsubscribe,
        "Stop notifications in a browser.",
        errors=(404,),
    ),
    own(
        "POST /api/push-subscriptions/<id>/test",
        test,
        "Send a test notification to a browser.",
        errors=(404, 409),
    ),
)
