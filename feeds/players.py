"""Players that may stand in a page: where they are embedded from, and the address that tells them least. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# Hosts, and the path of the pages that these services offer for embedding.
_PLAYERS = (
    ("www.youtube.com youtube.com www.youtube-nocookie.com youtube-nocookie.com", r"/embed/[\w\-]{1,64}"),
    ("player.vimeo.com", r"/video/\d{1,20}"),
    (
        "www.dailymotion.com geo.dailymotion.com",
        r"/(?:embed/video/[\w\-]{1,64}|player(?:/[\w\-]{1,64})?\.html)",
    ),
    ("w.soundcloud.com", r"/player/?"),
    ("open.spotify.com", r"/embed(?:-podcast)?/[\w\-]{1,64}/[\w\-]{1,64}(?:/[\w\-]{1,64})?"),
    ("www.bandcamp.com bandcamp.com", r"/EmbeddedPlayer/[\w=/\-]{1,300}"),
    ("embed.podcasts.apple.com", r"/[\w\-/%.]{1,300}"),
    ("embed.music.apple.com", r"/[\w\-/%.]{1,300}"),
    ("widget.deezer.com", r"/widget/[\w\-/]{1,100}"),
    ("www.mixcloud.com mixcloud.com player-widget.mixcloud.com", r"/widget/iframe/?"),
    ("embed.ted.com", r"/talks/[\w\-/]{1,200}"),
    ("archive.org", r"/embed/[\w\-.]{1,200}"),
    ("media.ccc.de", r"/v/[\w\-.]{1,200}/oembed"),
    ("framatube.org peertube.tv tilvids.com spectra.video", r"/videos/embed/[\w\-]{1,64}"),
    ("player.twitch.tv clips.twitch.tv", r"/(?:embed)?/?"),
    ("www.arte.tv", r"/(?:embeds|player)/[\w\-/.]{1,200}"),
    ("fast.wistia.net fast.wistia.com", r"/embed/iframe/\w{1,40}"),
    ("www.ardmediathek.de", r"/embed/[\w\-]{1,200}"),
)
_PATHS = {host: re.compile(path) for hosts, path in _PLAYERS for host in hosts.split()}
_YOUTUBE = "youtube.com"
_QUIET_YOUTUBE = "www.youtube-nocookie.com"
# Whom our pages may frame: every host that ``player_url`` answers with.
PLAYER_HOSTS = frozenset(_QUIET_YOUTUBE if host.removeprefix("www.") == _YOUTUBE else host for host in _PATHS)


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
    path = _PATHS.get(host)
    known = path is not None and path.fullmatch(parts.path) is not None
    if not is_plain or not known or parts.scheme not in ("http", "https"):
        return ""
    if host.removeprefix("www.") == _YOUTUBE:
        host = _QUIET_YOUTUBE
    return urlunsplit(("https", host, parts.path, parts.query, ""))
