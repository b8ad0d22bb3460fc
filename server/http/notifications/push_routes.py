"""The routes for web push subscriptions."""

from typing import Final

from server.http.notifications import push_subscriptions
from server.http.route import own

PUSH_ROUTES: Final = (
    own(
        "GET /api/push-subscriptions",
        push_subscriptions.listed,
        "List the browsers that notify you, and get the key to add one.",
    ),
    own(
        "POST /api/push-subscriptions",
        push_subscriptions.subscribe,
        "Add or refresh this browser for notifications.",
        errors=(409, 422),
    ),
    own(
        "DELETE /api/push-subscriptions/<id>",
        push_subscriptions.unsubscribe,
        "Stop notifications in a browser.",
        errors=(404,),
    ),
    own(
        "POST /api/push-subscriptions/<id>/test",
        push_subscriptions.test,
        "Send a test notification to a browser.",
        errors=(404, 409),
    ),
)
