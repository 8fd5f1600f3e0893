"""What can go wrong with feeds, each with a sentence for the owner of the source."""

from __future__ import annotations

from common.errors import ConfigurationError, MastoscoreError


class FeedsError(MastoscoreError):
    """Base of this app's errors."""


class InvalidAddress(FeedsError, ConfigurationError):
    """What somebody gave as the address of a feed or page is none."""


class PageUnreachable(FeedsError):
    """The page that was to be searched for feeds could not be fetched."""


class NoFeedFound(FeedsError):
    """The page names no feed, or none that can be read."""


class TooManyAtOnce(FeedsError):
    """The user has as many requests that wait for others' servers as anybody may have."""


class AlreadySubscribed(FeedsError):
    """The user has a source with that feed: ``name``."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A source with this RSS feed already exists: {name}")
        self.name = name


class UnknownSource(FeedsError, ConfigurationError):
    """No source has this number."""

    def __init__(self, source_id: int) -> None:
        super().__init__(f"Source [{source_id}] not found")


class UnknownUser(FeedsError, ConfigurationError):
    """No user has this name."""


class DuplicateCategory(FeedsError, ConfigurationError):
    """The user has a category of that name."""


class CategoryInUse(FeedsError, ConfigurationError):
    """The category that takes sources in cannot go while it has some."""


class InvalidService(FeedsError, ConfigurationError):
    """What somebody entered for a service to save to cannot be used."""


class NotSaved(FeedsError):
    """A post could not be saved, or a service does not do what it should."""


class NoSavingService(NotSaved):
    """There is nowhere to save to."""


class SummaryUnavailable(FeedsError):
    """The summary service did not give a summary. ``permanent`` and ``retry_after`` as in RemoteError."""

    def __init__(
        self,
        message: str,
        *,
        user_message: str | None = None,
        permanent: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, user_message=user_message)
        self.permanent = permanent
        self.retry_after = retry_after
