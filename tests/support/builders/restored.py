"""The installation of a test after a restore."""

from collections.abc import Collection

from server.backups import restoring
from tests.support.builders.site import LocalSite, open_site


def restored(local: LocalSite, keep: Collection[str]) -> LocalSite:
    """Finish a restore of this installation in place, and open it one second later."""
    now, settings = local.clock.now(), local.services.settings
    local.services.store.close()
    with restoring.in_place(settings, now) as prepared:
        restoring.finish(prepared, keep)
    again = open_site(settings.data_dir)
    again.clock.forward(now - again.clock.now() + 1_000)
    return again
