"""Plain text of a toot as the HTML that its server makes of it. Pure."""

from __future__ import annotations

import re
from html import escape

from pipeline.mock.film import CUSTOM_EMOJI

_PIECE = re.compile(
    r"(?P<mention>@(?P<user>\w+)@(?P<host>[\w.:-]*[\w]))|(?P<tag>#\w+)|(?P<link>https?://[^\s<]+[\w/])", re.UNICODE
)
_SHOWN_OF_A_LINK = 30
_CODE = re.compile(r":(\w+):")


def to_html(text: str, *, server: str, software: str) -> str:
    """Paragraphs with links for mentions, hashtags and addresses, in the manner of that software."""
    paragraphs = text.split("\n\n")
    inner = [_line(paragraph, server, software).replace("\n", "<br/>") for paragraph in paragraphs]
    if software in ("akkoma", "pleroma", "snac"):
        return "<br/><br/>".join(inner)
    return "".join(f"<p>{line}</p>" for line in inner)


def emoji_codes(text: str) -> list[str]:
    """The custom emoji in a text, each once, in order."""
    return list(dict.fromkeys(code for code in _CODE.findall(text) if code in CUSTOM_EMOJI))


def mentioned(text: str) -> list[tuple[str, str]]:
    """User and server of everybody mentioned."""
    return [(found["user"], found["host"]) for found in _PIECE.finditer(text) if found["mention"]]


def _line(text: str, server: str, software: str) -> str:
    pieces, position = [], 0
    for found in _PIECE.finditer(text):
        pieces += [escape(text[position : found.start()], quote=True), _piece(found, server, software)]
        position = found.end()
    return "".join([*pieces, escape(text[position:], quote=True)])


def _piece(found: re.Match[str], server: str, software: str) -> str:
    if found["mention"]:
        user, host = found["user"], found["host"]
        return (
            f'<span class="h-card" translate="no"><a href="http://{host}/@{user}" class="u-url mention">'
            f"@<span>{user}</span></a></span>"
        )
    if found["tag"]:
        tag = found["tag"][1:]
        if software in ("akkoma", "pleroma"):
            href = f"http://{server}/tag/{tag.lower()}"
            return f'<a class="hashtag" data-tag="{tag.lower()}" href="{href}" rel="tag">#{tag}</a>'
        return f'<a href="http://{server}/tags/{tag}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
    return _link(found["link"], software)


def _link(address: str, software: str) -> str:
    href = escape(address, quote=True)
    if software != "mastodon":
        return f'<a href="{href}" rel="nofollow noreferrer noopener" target="_blank">{href}</a>'
    scheme, _, rest = address.partition("://")
    prefix = f"{scheme}://" + ("www." if rest.startswith("www.") else "")
    shown, hidden = address[len(prefix) :][:_SHOWN_OF_A_LINK], address[len(prefix) + _SHOWN_OF_A_LINK :]
    return (
        f'<a href="{href}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{escape(prefix)}</span>'
        f'<span class="{"ellipsis" if hidden else ""}">{escape(shown)}</span>'
        f'<span class="invisible">{escape(hidden)}</span></a>'
    )
