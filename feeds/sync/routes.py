"""The calls of phone apps: address below the base of the Google Reader API, view. The site adds who is asking."""

from __future__ import annotations

from feeds.sync import greader

CALLS: list[tuple[str, type[greader.SyncView]]] = [
    ("user-info", greader.UserInfo),
    ("token", greader.ActionToken),
    ("tag/list", greader.TagList),
    ("subscription/list", greader.SubscriptionList),
    ("unread-count", greader.UnreadCount),
    ("stream/items/ids", greader.ItemIds),
    ("stream/items/contents", greader.ItemContents),
    ("stream/contents", greader.StreamContents),
    ("stream/contents/<path:stream>", greader.StreamContents),
    ("icon/<str:digest>", greader.Icon),
    ("edit-tag", greader.EditTag),
    ("mark-all-as-read", greader.MarkAllAsRead),
    *(
        (name, greader.NotHere)
        for name in ("subscription/edit", "subscription/quickadd", "subscription/import", "rename-tag", "disable-tag")
    ),
]
