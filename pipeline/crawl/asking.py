"""One server asked for one page, in whichever of its voices the cursor names."""

from __future__ import annotations

from collections.abc import Callable

from common.http import Gate
from common.mastodon import MastodonServer, TimelinePage, hashtag_path
from common.misskey import SEARCH_PATH, MisskeyServer
from common.tag_feed import feed_path, fetch_tag_feed
from pipeline.core.fetch import PAGE_LIMIT, Aim, Cursor, View


class Asking:
    """Raises RemoteErrors as the clients do. ``on_page``: as of MastodonServer."""

    def __init__(self, gate: Gate, server: str, aim: Aim, *, token: str, on_page: Callable[[], None]) -> None:
        self._gate = gate
        self._aim = aim
        self._mastodon = MastodonServer(gate, server, token=token, on_page=on_page)
        self._misskey = MisskeyServer(gate, server)
        self.server = server

    def fetch_page(self, cursor: Cursor) -> TimelinePage:
        hashtag = self._aim.asked_for[cursor.tag]
        match cursor.view:
            case View.NOTES:
                return self._misskey.hashtag_page(hashtag, until_id=cursor.max_id, limit=PAGE_LIMIT)
            case View.FEED:
                return fetch_tag_feed(self._gate, self.server, hashtag)
            case View.WHOLE | View.LOCAL:
                is_local = cursor.view is View.LOCAL
                return self._mastodon.hashtag_page(hashtag, max_id=cursor.max_id, is_local=is_local, limit=PAGE_LIMIT)

    def path_of(self, cursor: Cursor) -> str:
        """What robots.txt is asked about before the cursor is followed."""
        hashtag = self._aim.asked_for[cursor.tag]
        match cursor.view:
            case View.NOTES:
                return SEARCH_PATH
            case View.FEED:
                return feed_path(hashtag)
            case View.WHOLE | View.LOCAL:
                return hashtag_path(hashtag)
