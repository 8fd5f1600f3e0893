"""Which text of a post a reader gets: what the feed says, or the page behind it. Pure."""

from __future__ import annotations

from typing import Any


def content_of(post: Any) -> str:
    """The sanitised HTML: of the entry's own page, if the source wants full texts and one was read; else the feed's.

    Costs no query when the rows came from ``feeds.posts.full_posts``.
    """
    if post.source.wants_full_text:
        article = getattr(post.entry, "article", None)  # none was tried yet: AttributeError, by Django's design
        if article is not None and article.content:
            return str(article.content)
    return str(post.entry.content)
