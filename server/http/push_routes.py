"""The rows about the browsers in which a person is called."""

from typing import Final

from server.http import push_wire as wire
from server.http.endpoints import push_subscriptions
from server.http.route import Caller, Route

PUSH_ROUTES: Final = (
    Route(
        "GET",
        "/api/push-subscriptions",
        push_subscriptions.listed,
        Caller.PERSON,
        "The browsers in which I am called, and the key to add one.",
        answer=wire.PushSubscriptions,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/push-subscriptions",
        push_subscriptions.subscribe,
        Caller.PERSON,
        "Call me in this browser; again keeps it up to date.",
        body=wire.NewPushSubscription,
        answer=wire.PushSubscription,
        errors=(401, 403, 409, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/push-subscriptions/<id>",
        push_subscriptions.unsubscribe,
        Caller.PERSON,
        "Call me in a browser no more.",
        status=204,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/push-subscriptions/<id>/test",
        push_subscriptions.test,
        Caller.PERSON,
        "Send a browser of mine a message that says nothing.",
        status=204,
        errors=(401, 403, 404, 409),
        browsers=True,
    ),
)
