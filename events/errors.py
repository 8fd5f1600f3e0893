"""What can go wrong with events and accounts, each with a sentence for a person."""

from __future__ import annotations

from common.errors import ConfigurationError, MastoscoreError


class EventsError(MastoscoreError):
    """Base of this app's errors."""


class UnknownEvent(EventsError):
    """No event has this name."""

    def __init__(self, name: str) -> None:
        shown = name if len(name) <= 100 else f"{name[:99]}…"
        super().__init__(f"no event {shown!r}", user_message=f"There is no event “{shown}”.")


class EventConflict(EventsError, ConfigurationError):
    """Another event has the slug, or the hashtag on that date."""


class InvalidEvent(EventsError, ConfigurationError):
    """Values of an event that the model refuses; ``problems`` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems), user_message="\n".join(problems))
        self.problems = problems


class TokenRefused(EventsError):
    """The server does not take the token."""


class BadCredentials(EventsError, ConfigurationError):
    """A token file that cannot be used. Never holds any of its content but the server's name."""
