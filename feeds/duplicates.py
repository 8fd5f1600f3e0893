"""One page in several sources: a user who wants that gets it as unread once.

A post that comes later, from another source, under an address that means the same page (``feeds.link_digest``) is
stored as read with ``duplicate_of`` set. What becomes of the first one later does not bring it back, except that it
takes its place when the first one goes away unread with its source. Turning the option on or off is for posts that
come from then on; those that are there stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Min

from feeds.models import Entry, Post, ReaderOptions, Source

Originals = Mapping[tuple[int, str], int]


def find_originals(sources: Sequence[Source], entries: Sequence[Entry]) -> Originals:
    """The earliest post of the same page from another source: (user, digest of the link) to its number.

    Only for users who want duplicates collapsed, as all do who never said otherwise.
    """
    digests = {entry.link_digest for entry in entries} - {""}
    users = {source.user_id for source in sources}
    if not digests:
        return {}
    users -= set(
        ReaderOptions.objects.filter(user__in=users, collapse_duplicates=False).values_list("user_id", flat=True)
    )
    # The first exclusion looks idle, but without it SQLite does not see that the partial index is enough.
    feeds = {entry.feed_id for entry in entries}
    same = Entry.objects.filter(link_digest__in=digests).exclude(link_digest="").exclude(feed__in=feeds)
    digest_of = dict(same.values_list("pk", "link_digest"))
    if not digest_of or not users:
        return {}
    # In a query of its own: joined, SQLite would rather look at every post of the user.
    rows = (
        Post.objects.filter(entry__in=list(digest_of), user__in=users)
        .exclude(source__in=[source.pk for source in sources])
        .order_by("-pk")
        .values_list("user_id", "entry_id", "duplicate_of_id", "pk")
    )
    return {(user_id, digest_of[entry_id]): original or pk for user_id, entry_id, original, pk in rows}


def also_in(post: Post) -> list[Source]:
    """The user's other sources that have the same page, by name."""
    return also_in_each([post])[post.pk]


def also_in_each(posts: Sequence[Post]) -> dict[int, list[Source]]:
    """The same for each of several posts, by their numbers, in two queries."""
    roots = {post.duplicate_of_id or post.pk for post in posts}
    # Apart: with an OR, SQLite looks at every post there is.
    followers = Post.objects.filter(duplicate_of__in=roots).values_list("pk", flat=True)
    relatives = (
        Post.objects.filter(pk__in=[*roots, *followers])
        .select_related("source")
        .only("duplicate_of_id", "user_id", "source__name", "source__user_id", "source__category_id", "source__url")
        .order_by("source__name", "source_id")
    )
    families: dict[int, list[Post]] = {root: [] for root in roots}
    for relative in relatives:
        families[relative.duplicate_of_id or relative.pk].append(relative)
    return {
        post.pk: [
            other.source
            for other in families[post.duplicate_of_id or post.pk]
            if other.pk != post.pk and other.user_id == post.user_id
        ]
        for post in posts
    }


def promote_duplicates(source_ids: Iterable[int]) -> int:
    """Before sources go: for each of their unread posts, its first duplicate elsewhere becomes unread instead.

    Part of the caller's transaction; returns how many.
    """
    ids = list(source_ids)
    heirs = (
        Post.objects.filter(duplicate_of__source__in=ids, duplicate_of__is_read=False)
        .exclude(source__in=ids)
        .values("duplicate_of")
        .annotate(first=Min("pk"))
    )
    chosen = {row["duplicate_of"]: row["first"] for row in heirs}
    for original, heir in chosen.items():
        Post.objects.filter(duplicate_of=original).exclude(pk=heir).update(duplicate_of=heir)
    return Post.objects.filter(pk__in=chosen.values()).update(is_read=False, read_at=None, duplicate_of=None)
