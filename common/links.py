"""Addresses that other people sent: which of them may become a link."""

from __future__ import annotations

from common.servers import server_of_url


def safe_link(url: object) -> str:
    """The address if it is a plain http(s) one that a browser reads as we do, else an empty text.

    ``javascript:``, ``data:``, relative addresses, and any with blanks, controls or backslashes are none: browsers
    skip or rewrite those characters, so what was checked would not be what is opened.
    """
    if not isinstance(url, str) or not 8 < len(url) <= 2000:
        return ""
    if not url.isprintable() or any(character in url for character in " \\<>\"'`"):
        return ""
    return url if server_of_url(url) else ""
