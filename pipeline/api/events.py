"""``/api/v1/events`` as a whole: settings from the app of events, phases, results and thread from here."""

from __future__ import annotations

from typing import Any, ClassVar

from common.api.access import Needs
from events.api import events
from pipeline.api.phases import BlogWish, NoWish, PhaseActions
from pipeline.api.pictures import PictureActions
from pipeline.api.results import ResultReads
from pipeline.api.thread import ThreadActions
from pipeline.services import delete_event


class EventViewSet(ThreadActions, PictureActions, ResultReads, PhaseActions, events.EventViewSet):
    """Events: what to watch, when, how to score it, and what came of it."""

    access: ClassVar[dict[str, Needs]] = {
        **events.EventViewSet.access,
        **PhaseActions.PHASE_ACCESS,
        **PictureActions.PICTURE_ACCESS,
        **ResultReads.RESULT_ACCESS,
        **ThreadActions.THREAD_ACCESS,
    }
    rate_scope = {
        **PhaseActions.PHASE_RATES,
        **PictureActions.PICTURE_RATES,
        **ThreadActions.THREAD_RATES,
    }

    forms: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("draw_graph", "draw_wordcloud", "find_poster", "draft_thread", "drop_toot"), NoWish),
        **dict.fromkeys(("withdraw_thread", "send_thread", "delete_thread"), NoWish),
        "write_blog": BlogWish,
    }

    def perform_destroy(self, instance: Any) -> None:
        delete_event(instance)
