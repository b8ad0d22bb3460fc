"""An installation of one test after a restore."""

from collections.abc import Collection

from server.backups import restoring
from tests.support.builders.site import LocalSite, open_site


def restored(local: LocalSite, keep: Collection[str]) -> LocalSite:
    """The same installation, made safe in place and opened a second later."""
    now, settings = local.clock.now(), local.services.settings
    local.services.store.close()
    with restoring.in_place(settings, now) as prepared:
        restoring.finish(prepared, keep)
    again = open_site(settings.data_dir)
    again.clock.forward(now - again.clock.now() + 1_000)
    return again
