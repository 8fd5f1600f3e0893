"""The garbage collector is as before when a busy time is over."""

from __future__ import annotations

import gc

import pytest

from common.garbage import rare_collections, share_heaps


def test_collector_is_as_before_afterwards() -> None:
    before = gc.get_threshold()
    with rare_collections():
        kept_back = gc.get_threshold()
        assert gc.get_freeze_count() > 0
        with rare_collections():
            assert gc.get_threshold() == kept_back
        assert gc.get_threshold() == kept_back
    assert kept_back[0] > before[0]
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_collector_is_as_before_after_a_failure() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), rare_collections():
        raise KeyError
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_c_library_without_such_a_setting_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Library:
        def __getattr__(self, name: str) -> None:
            asked.append(name)
            raise AttributeError(name)

    monkeypatch.setattr("ctypes.CDLL", lambda name: Library())
    share_heaps()
    assert asked == ["mallopt"]
