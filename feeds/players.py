"""Players that may stand in a page: where they are embedded from, and the address that tells them least. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# Host and path of the pages that these services offer for embedding.
_PLAYERS = (
    (r"(?:www\.)?youtube(?:-nocookie)?\.com", r"/embed/[\w\-]{1,64}"),
    (r"player\.vimeo\.com", r"/video/\d{1,20}"),
    (r"(?:www|geo)\.dailymotion\.com", r"/(?:embed/video/[\w\-]{1,64}|player(?:/[\w\-]{1,64})?\.html)"),
    (r"w\.soundcloud\.com", r"/player/?"),
    (r"open\.spotify\.com", r"/embed(?:-podcast)?/[\w\-]{1,64}/[\w\-]{1,64}(?:/[\w\-]{1,64})?"),
    (r"(?:www\.)?bandcamp\.com", r"/EmbeddedPlayer/[\w=/\-]{1,300}"),
    (r"embed\.podcasts\.apple\.com", r"/[\w\-/%.]{1,300}"),
    (r"embed\.music\.apple\.com", r"/[\w\-/%.]{1,300}"),
    (r"widget\.deezer\.com", r"/widget/[\w\-/]{1,100}"),
    (r"(?:www\.)?mixcloud\.com|player-widget\.mixcloud\.com", r"/widget/iframe/?"),
    (r"embed\.ted\.com", r"/talks/[\w\-/]{1,200}"),
    (r"archive\.org", r"/embed/[\w\-.]{1,200}"),
    (r"media\.ccc\.de", r"/v/[\w\-.]{1,200}/oembed"),
    (r"(?:framatube\.org|peertube\.tv|tilvids\.com|spectra\.video)", r"/videos/embed/[\w\-]{1,64}"),
    (r"player\.twitch\.tv|clips\.twitch\.tv", r"/(?:embed)?/?"),
    (r"www\.arte\.tv", r"/(?:embeds|player)/[\w\-/.]{1,200}"),
    (r"fast\.wistia\.(?:net|com)", r"/embed/iframe/\w{1,40}"),
    (r"www\.ardmediathek\.de", r"/embed/[\w\-]{1,200}"),
)
_KNOWN = tuple((re.compile(host), re.compile(path)) for host, path in _PLAYERS)


def player_url(url: str) -> str:
    """The https address of the player, if ``url`` is one of a service we know by name; else "".

    YouTube is asked under the name that sets no cookies before somebody presses play.
    """
    parts = urlsplit(url)
    try:
        is_plain = parts.port in (None, 80, 443)
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    known = any(names.fullmatch(host) and paths.fullmatch(parts.path) for names, paths in _KNOWN)
    if not is_plain or not known or parts.scheme not in ("http", "https"):
        return ""
    if host.removeprefix("www.") == "youtube.com":
        host = "www.youtube-nocookie.com"
    return urlunsplit(("https", host, parts.path, parts.query, ""))
