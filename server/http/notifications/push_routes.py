"""The routes for web push subscriptions."""

from typing import Final

from server.http.notifications import push_subscriptions
from server.http.notifications import push_wire as wire
from server.http.route import Caller, Route

PUSH_ROUTES: Final = (
    Route(
        "GET",
        "/api/push-subscriptions",
        push_subscriptions.listed,
        Caller.PERSON,
        "List the browsers that notify you, and get the key to add one.",
        answer=wire.PushSubscriptions,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/push-subscriptions",
        push_subscriptions.subscribe,
        Caller.PERSON,
        "Add or refresh this browser for notifications.",
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
        "Stop notifications in a browser.",
        status=204,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/push-subscriptions/<id>/test",
        push_subscriptions.test,
        Caller.PERSON,
        "Send a test notification to a browser.",
        status=204,
        errors=(401, 403, 404, 409),
        browsers=True,
    ),
)
