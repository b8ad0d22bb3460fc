"""The endpoints for web push subscriptions."""

from server.http import cookies
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.notifications import push_wire as wire
from server.http.site import Site
from server.http.wire import read
from server.services.users.device_auth import Person


def listed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/push-subscriptions."""
    cookie = cookies.of(site.rules, request)
    found = wire.PushSubscriptions(
        public_key=site.notifications.push_subscriptions.public_key,
        csrf=site.devices.browsers.csrf(cookie) if cookie else None,
        items=[
            wire.push_subscription(one, site.clock.now())
            for one in site.notifications.push_subscriptions.of_person(person)
        ],
        lost=[wire.lost_push(one) for one in site.notifications.push_losses.of_person(person)],
    )
    return as_json(200, found.model_dump())


def subscribe(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/push-subscriptions."""
    body = read(wire.NewPushSubscription, request.body)
    named = site.notifications.push_subscriptions.subscribe(person, body.record())
    return as_json(200, wire.push_subscription(named, site.clock.now()).model_dump())


def unsubscribe(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/push-subscriptions/<id>."""
    site.notifications.push_subscriptions.unsubscribe(person, request.params["id"])
    return HttpResponse(204, headers=NO_STORE)


def test(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/push-subscriptions/<id>/test."""
    site.notifications.push_subscriptions.test(person, request.params["id"])
    return HttpResponse(204, headers=NO_STORE)
