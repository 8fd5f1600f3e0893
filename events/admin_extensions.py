"""Where apps above this one add to the admin's event pages, from their ``AppConfig.ready``.

::

    from events.admin_extensions import register_event_action, register_event_panel, register_event_state

    register_event_action("fetch", "Fetch", "download", start_fetch)   # a button above the form; POST with CSRF
    register_event_panel(render_phases)                                # a read-only panel above the form
    register_event_state(with_last_job, describe_state)                # the column "State" of the event list
    register_series_panel(render_texts)                                # the same as a panel, on pages of series

Actions and panels appear in the order they were registered; registering a name again replaces what had it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from events.models import Event, Series

ActionHandler = Callable[[HttpRequest, "Event"], HttpResponseBase | None]
PanelRenderer = Callable[[HttpRequest, "Event"], SafeString]
SeriesPanelRenderer = Callable[[HttpRequest, "Series"], SafeString]
# (kind, text): kind is one of info, success, warning, danger, primary, or empty; it picks the colour.
State = tuple[str, str]


@dataclass(frozen=True, slots=True)
class EventAction:
    """A button on an event's page.

    ``handler`` runs outside any transaction; None as its answer leads back to the event's page, and a
    MastoscoreError it raises is shown there. ``icon`` is the name of a Material symbol. ``confirm`` is asked
    before the button is obeyed. ``is_offered(event)`` decides whether the button is shown and allowed.
    """

    name: str
    label: str
    icon: str
    handler: ActionHandler
    permission: str = "events.change_event"
    confirm: str = ""
    is_primary: bool = False
    is_offered: Callable[[Event], bool] | None = None

    def suits(self, request: HttpRequest, event: Event) -> bool:
        return request.user.has_perm(self.permission) and (self.is_offered is None or self.is_offered(event))


@dataclass(frozen=True, slots=True)
class EventState:
    """``annotate`` adds to the list's query what ``describe`` then reads from each event: no query per row."""

    annotate: Callable[[QuerySet[Event]], QuerySet[Event]]
    describe: Callable[[Event], State | None]


event_actions: dict[str, EventAction] = {}
event_panels: dict[str, PanelRenderer] = {}
event_states: dict[str, EventState] = {}
series_panels: dict[str, SeriesPanelRenderer] = {}


def register_event_action(
    name: str,
    label: str,
    icon: str,
    handler: ActionHandler,
    *,
    permission: str = "events.change_event",
    confirm: str = "",
    is_primary: bool = False,
    is_offered: Callable[[Event], bool] | None = None,
) -> None:
    """Add a button; ``name`` is its last part of the address and must be a slug."""
    event_actions[name] = EventAction(name, label, icon, handler, permission, confirm, is_primary, is_offered)


def register_event_panel(render: PanelRenderer, *, name: str = "") -> None:
    """Add a panel above the form; ``render`` answers safe HTML, empty for no panel."""
    event_panels[name or f"{render.__module__}.{render.__qualname__}"] = render


def register_series_panel(render: SeriesPanelRenderer, *, name: str = "") -> None:
    """Add a panel above the form of a series, as ``register_event_panel`` does for events."""
    series_panels[name or f"{render.__module__}.{render.__qualname__}"] = render


def register_event_state(
    annotate: Callable[[QuerySet[Event]], QuerySet[Event]],
    describe: Callable[[Event], State | None],
    *,
    name: str = "",
) -> None:
    """Let the event list say how far an event is; the first ``describe`` that answers something is shown."""
    event_states[name or f"{describe.__module__}.{describe.__qualname__}"] = EventState(annotate, describe)


def actions_for(request: HttpRequest, event: Event) -> list[EventAction]:
    return [action for action in event_actions.values() if action.suits(request, event)]


def panels_for(request: HttpRequest, event: Event) -> list[SafeString]:
    return [panel for render in event_panels.values() if (panel := render(request, event))]


def series_panels_for(request: HttpRequest, series: Series) -> list[SafeString]:
    return [panel for render in series_panels.values() if (panel := render(request, series))]


def with_states(events: QuerySet[Event]) -> QuerySet[Event]:
    for state in event_states.values():
        events = state.annotate(events)
    return events


def state_of(event: Event) -> State | None:
    """What an app above says of an event from ``with_states``; None when none says anything."""
    return next((told for state in event_states.values() if (told := state.describe(event))), None)
