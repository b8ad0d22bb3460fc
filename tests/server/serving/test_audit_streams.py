"""Audit streams have metrics, and changes are refused while a required one is behind."""

import json
from dataclasses import replace

import pytest

from server import telemetry
from server.delivery.audit_streams import FOLDER
from server.model.audit import Entry
from server.model.store import Busy
from server.services.refusals import Invalid
from server.serving.loops import MAX_BEHIND_MS, StreamWatch
from server.settings import Settings


@pytest.fixture
def watch(local, tmp_path):
    """A watch over the streams of a data folder, in which `siem` is required."""
    settings = replace(Settings(), data_dir=tmp_path, audit_streams_required="siem")
    return StreamWatch(settings, local.services.store)


def _set_sent(watch, name, entries):
    folder = watch.settings.data_dir / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"sent": entries, "leaf": ""}))


def _size(store):
    with store.read() as view:
        return view.audit_log.size()


def _add_entry(store):
    with store.write() as tx:
        tx.audit.add(Entry("type.new", "operator"))


def test_each_stream_has_metrics(local, watch):
    """The metrics are the number of unsent entries and the age of the oldest one."""
    _add_entry(local.services.store)
    local.clock.forward(2_500)
    _add_entry(local.services.store)
    _set_sent(watch, "other", _size(local.services.store) - 2)
    watch.round()
    assert telemetry.UNSENT_ENTRIES.labels("other")._value.get() == 2
    assert telemetry.UNSENT_SECONDS.labels("other")._value.get() == 2.5


def test_a_required_stream_may_be_behind_for_a_minute(local, watch):
    """After a minute, new entries and their effects are refused until the stream has caught up."""
    store = local.services.store
    _set_sent(watch, "siem", _size(store))
    _add_entry(store)
    local.clock.forward(MAX_BEHIND_MS)
    watch.round()
    _add_entry(store)
    local.clock.forward(1)
    watch.round()
    with pytest.raises(Busy, match="The audit stream siem is behind"):
        _add_entry(store)
    _set_sent(watch, "siem", _size(store))
    watch.round()
    _add_entry(store)


def test_changes_are_refused_while_the_position_of_a_stream_cannot_be_read(local, watch):
    """The file of the position is damaged."""
    store = local.services.store
    _set_sent(watch, "siem", _size(store))
    (watch.settings.data_dir / FOLDER / "siem.json").write_text("{")
    with pytest.raises(Invalid):
        watch.round()
    with pytest.raises(Busy, match=r"siem.json is damaged"):
        _add_entry(store)
    _set_sent(watch, "siem", _size(store))
    watch.round()
    _add_entry(store)


def test_a_required_stream_that_never_ran_is_behind(local, watch):
    """A stream that is not required may be behind."""
    _add_entry(local.services.store)
    local.clock.forward(MAX_BEHIND_MS + 1)
    _set_sent(watch, "siem", _size(local.services.store))
    _set_sent(watch, "other", 0)
    watch.round()
    _add_entry(local.services.store)
    (watch.settings.data_dir / FOLDER / "siem.json").unlink()
    watch.round()
    with pytest.raises(Busy):
        _add_entry(local.services.store)
