"""From the address of any page to the feeds behind it: candidates in the order to try them. Pure, no fetching.

``known_places`` needs only the address; ``find_in_headers`` and ``find_in_page`` read an answer; ``common_places``
are guesses for a page that names none. The caller fetches the page once, merges, and proves the chosen by parsing it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from lxml import etree
from lxml import html as lxml_html

from feeds.data import FeedError
from feeds.decoding import decode_body
from feeds.entries import plain_line
from feeds.link_header import parse_link_header
from feeds.links import absolute_url

MAX_PAGE_CHARS = 2_000_000
MAX_CANDIDATES = 30

# Ranks: the lower the better.
KNOWN, LINKED, HEADER, HINTED, GUESSED = 0, 10, 20, 40, 60

_TYPES = {
    "application/atom+xml": ("atom", 0),
    "application/feed+json": ("json", 1),
    "application/rdf+xml": ("rdf", 2),
    "application/rss+xml": ("rss", 0),
    "application/json": ("json", 3),
    "application/xml": ("xml", 4),
    "text/xml": ("xml", 4),
    "text/rss+xml": ("rss", 0),
    "application/x.atom+xml": ("atom", 0),
    "application/x-atom+xml": ("atom", 0),
}
_HINT_PATH = re.compile(
    r"(?:^|/)(?:feeds?|rss2?|atom|rdf|index)(?:\.(?:xml|rss|atom|rdf|json|php))?/?$|\.(?:rss|atom|rdf)$"
    r"|[?&](?:feed|format|type)=(?:rss2?|atom|json|feed)|(?:^|/)(?:feeds?|rss|atom)/[^/]+(?:\.xml|\.json)?/?$",
    re.IGNORECASE,
)
_HINT_HOST = re.compile(r"^(?:feeds?|rss|atom)\d?\.", re.IGNORECASE)
_HINT_WORDS = re.compile(r"\b(?:rss|atom|feed|json feed|syndicat\w*)\b", re.IGNORECASE)
_COMMENTS = re.compile(r"comments?\b|kommentar|commentaire|comentario|/trackback", re.IGNORECASE)
_COMMON_PATHS = (
    "feed",
    "rss",
    "atom.xml",
    "feed.xml",
    "rss.xml",
    "index.xml",
    "feed.json",
    "feed/",
    "blog/feed",
    "posts/default",
    "index.rdf",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that may be a feed. ``kind`` is ``rss atom json rdf xml`` or empty; ``how`` says where it was found:
    ``known``, ``link``, ``header``, ``hint`` or ``guess``. Lower ``rank`` first.
    """

    url: str
    title: str
    kind: str
    how: str
    rank: int


@dataclass(frozen=True, slots=True)
class PageFindings:
    """What a page says about itself and its feeds. ``icon_urls`` has the most specific first."""

    title: str
    description: str
    author: str
    icon_urls: tuple[str, ...]
    candidates: tuple[Candidate, ...]


def known_places(url: str) -> list[Candidate]:
    """Feeds of services whose addresses say where they are: YouTube, GitHub, Reddit, the fediverse and others."""
    url = absolute_url(url, "")
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().removeprefix("www.").removeprefix("m.")
    steps = [step for step in parts.path.split("/") if step]
    for hosts, finder in _SERVICES:
        if host in hosts or any(host.endswith(f".{name}") for name in hosts):
            return [_known(found, title) for found, title in finder(url, steps)]
    return [_known(found, title) for found, title in _fediverse(url, steps)]


def find_in_headers(link_header: str, *, url: str) -> list[Candidate]:
    """Feeds that HTTP ``Link`` headers name as alternates."""
    found = []
    for link in parse_link_header(link_header, base=url):
        kind = _TYPES.get(link.media_type)
        if "alternate" in link.rels and kind:
            found.append(Candidate(link.url, plain_line(link.title, 200), kind[0], "header", HEADER + kind[1]))
    return found


def find_in_page(body: bytes, *, url: str, content_type: str = "") -> PageFindings:
    """What an HTML page links to; an empty answer for what is no HTML."""
    try:
        text = decode_body(body, content_type)[:MAX_PAGE_CHARS]
    except FeedError:
        return PageFindings("", "", "", (), ())
    url = absolute_url(url, "")
    root = _parse_page(text) if url else None
    if root is None:
        return PageFindings("", "", "", (), ())
    base = next((urljoin(url, href) for href in root.xpath("//base/@href")[:1]), url)
    metas = _metas(root)
    candidates = [*_linked(root, base), *_declared_channel(root, url), *_hinted(root, base, url)]
    title = metas.get("og:site_name") or plain_line("".join(root.xpath("//title[1]//text()")[:20]), 255)
    return PageFindings(
        title=title or metas.get("og:title", ""),
        description=metas.get("description") or metas.get("og:description", ""),
        author=metas.get("author", ""),
        icon_urls=tuple(_icons(root, base, url)),
        candidates=tuple(merge(candidates)),
    )


def common_places(url: str) -> list[Candidate]:
    """Where feeds often are: beside the page's folder first, then at the root of its site."""
    parts = urlsplit(absolute_url(url, ""))
    if not parts.netloc:
        return []
    root = f"{parts.scheme}://{parts.netloc}/"
    folder = (
        parts.path.rpartition("/")[0] + "/" if "." in parts.path.rpartition("/")[2] else parts.path.rstrip("/") + "/"
    )
    places = [urljoin(root, folder.lstrip("/")) + path for path in ("feed", "rss", "atom.xml", "index.xml")]
    places = [*(places if folder != "/" else []), *(root + path for path in _COMMON_PATHS)]
    found = (absolute_url(place, "") for place in places)
    return merge(Candidate(place, "", "", "guess", GUESSED + n) for n, place in enumerate(found) if place)


def merge(*lists: Iterable[Candidate]) -> list[Candidate]:
    """All candidates in the order to try them, each address once (with the best title known), at most 30."""
    found: dict[str, Candidate] = {}
    for candidate in sorted((one for some in lists for one in some), key=lambda one: one.rank):
        key = candidate.url.rstrip("/").replace("http://", "https://", 1)
        first = found.setdefault(key, candidate)
        if not first.title and candidate.title:
            found[key] = replace(first, title=candidate.title)
    return list(found.values())[:MAX_CANDIDATES]


def _parse_page(text: str) -> Any:
    parser = lxml_html.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        return lxml_html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _linked(root: Any, base: str) -> list[Candidate]:
    found = []
    for position, link in enumerate(root.xpath("//link[@href]")[:500]):
        rels = link.get("rel", "").lower().split()
        kind = _TYPES.get(link.get("type", "").partition(";")[0].strip().lower())
        is_feed = ("alternate" in rels and kind) or "feed" in rels
        url = absolute_url(link.get("href"), base)
        if not is_feed or not url or _is_api(url, kind):
            continue
        title = plain_line(link.get("title", ""), 200)
        # Comments last; else as the page orders them, which is how its author ranks them.
        rank = LINKED + (9 if _COMMENTS.search(f"{title} {urlsplit(url).path}") else min(position, 8))
        found.append(Candidate(url, title, kind[0] if kind else "", "link", rank))
    return found


def _is_api(url: str, kind: tuple[str, int] | None) -> bool:
    """WordPress and others announce an interface as JSON, and embedding as JSON or XML: no feeds."""
    return "oembed" in url or (kind is not None and kind[0] in ("json", "xml") and "/wp-json/" in url)


def _hinted(root: Any, base: str, url: str) -> list[Candidate]:
    """Links in the text that look like feeds by address, or that are called so."""
    found = []
    for link in root.xpath("//a[@href]")[:3000]:
        target = absolute_url(link.get("href"), base)
        if not target or target == url:
            continue
        parts = urlsplit(target)
        text = plain_line(" ".join(link.itertext())[:300] or link.get("title", ""), 200)
        by_address = _HINT_PATH.search(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        by_name = _HINT_WORDS.search(text) and (
            parts.hostname == urlsplit(url).hostname or _HINT_HOST.match(parts.netloc)
        )
        is_page = parts.path.endswith((".html", "index.php")) and not (by_address and parts.query)
        if is_page or not (by_address or by_name or _HINT_HOST.match(parts.netloc)):
            continue
        is_sure = bool(by_address) and parts.hostname == urlsplit(url).hostname
        rank = HINTED + (0 if is_sure else 5) + (8 if _COMMENTS.search(f"{text} {parts.path}") else 0)
        found.append(Candidate(target, text, "", "hint", rank))
    return found[:20]


def _declared_channel(root: Any, url: str) -> list[Candidate]:
    """YouTube pages name their channel's id only inside."""
    host = (urlsplit(url).hostname or "").removeprefix("www.").removeprefix("m.")
    if host != "youtube.com":
        return []
    ids = root.xpath("//meta[@itemprop='channelId' or @itemprop='identifier']/@content")
    canonical = "".join(root.xpath("//link[@rel='canonical']/@href")[:1])
    ids += re.findall(r"/channel/(UC[\w-]{22})", canonical)
    return [_known(_youtube_feed("channel_id", name), "Videos") for name in ids if re.fullmatch(r"UC[\w-]{22}", name)]


def _metas(root: Any) -> dict[str, str]:
    wanted = ("description", "author", "og:site_name", "og:title", "og:description")
    found: dict[str, str] = {}
    for meta in root.xpath("//meta[@content]")[:300]:
        name = (meta.get("name") or meta.get("property") or "").strip().lower()
        if name in wanted:
            found.setdefault(name, plain_line(meta.get("content"), 500))
    return found


def _icons(root: Any, base: str, url: str) -> list[str]:
    links = [link for link in root.xpath("//link[@href]")[:500] if "icon" in link.get("rel", "").lower()]
    links.sort(key=lambda link: "apple" in link.get("rel", "").lower() or "mask" in link.get("rel", "").lower())
    found = [absolute_url(link.get("href"), base) for link in links]
    return [*dict.fromkeys(filter(None, found)), absolute_url("/favicon.ico", url)][:5]


def _known(url: str, title: str) -> Candidate:
    return Candidate(url, title, "", "known", KNOWN)


def _youtube_feed(key: str, value: str) -> str:
    return f"https://www.youtube.com/feeds/videos.xml?{key}={quote(value)}"


def _youtube(url: str, steps: list[str]) -> list[tuple[str, str]]:
    playlist = parse_qs(urlsplit(url).query).get("list", [""])[0]
    if re.fullmatch(r"[\w-]{10,60}", playlist):
        return [(_youtube_feed("playlist_id", playlist), "Playlist")]
    if steps[:1] == ["channel"] and len(steps) > 1 and re.fullmatch(r"UC[\w-]{22}", steps[1]):
        return [(_youtube_feed("channel_id", steps[1]), "Videos")]
    if steps[:1] == ["user"] and len(steps) > 1:
        return [(_youtube_feed("user", steps[1]), "Videos")]
    return []


def _github(url: str, steps: list[str]) -> list[tuple[str, str]]:
    if len(steps) == 1 and steps[0] not in ("features", "topics", "explore", "login", "about", "pricing"):
        return [(f"https://github.com/{steps[0]}.atom", f"Activity of {steps[0]}")]
    if len(steps) < 2 or steps[0] in ("orgs", "topics", "features"):
        return []
    base = f"https://github.com/{steps[0]}/{steps[1].removesuffix('.git')}"
    names = {"releases": "Releases", "commits": "Commits", "tags": "Tags"}
    order = sorted(names, key=lambda name: name != (steps[2] if len(steps) > 2 else "releases"))
    branch = f"/{'/'.join(steps[3:])}" if steps[2:3] in (["commits"], ["tree"]) and len(steps) > 3 else ""
    return [(f"{base}/{name}{branch if name == 'commits' else ''}.atom", names[name]) for name in order]


def _gitlab(url: str, steps: list[str]) -> list[tuple[str, str]]:
    project = steps[: steps.index("-")] if "-" in steps else steps
    if len(project) < 2:
        return []
    base = f"https://gitlab.com/{'/'.join(project)}/-"
    return [(f"{base}/releases.atom", "Releases"), (f"{base}/tags?format=atom", "Tags")]


def _reddit(url: str, steps: list[str]) -> list[tuple[str, str]]:
    if len(steps) >= 2 and steps[0] in ("r", "user", "u"):
        kind = "user" if steps[0] in ("user", "u") else "r"
        return [(f"https://www.reddit.com/{kind}/{steps[1]}/.rss", f"{kind}/{steps[1]}")]
    return []


def _tumblr(url: str, steps: list[str]) -> list[tuple[str, str]]:
    parts = urlsplit(url)
    if parts.hostname in ("tumblr.com", "www.tumblr.com"):
        return [(f"https://{steps[0]}.tumblr.com/rss", steps[0])] if steps else []
    return [(f"https://{parts.hostname}/rss", "")]


def _medium(url: str, steps: list[str]) -> list[tuple[str, str]]:
    parts = urlsplit(url)
    if parts.hostname in ("medium.com", "www.medium.com"):
        return [(f"https://medium.com/feed/{steps[0]}", steps[0])] if steps else []
    return [(f"https://{parts.hostname}/feed", "")]


def _substack(url: str, steps: list[str]) -> list[tuple[str, str]]:
    return [(f"https://{urlsplit(url).hostname}/feed", "")]


def _bluesky(url: str, steps: list[str]) -> list[tuple[str, str]]:
    if steps[:1] == ["profile"] and len(steps) > 1:
        return [(f"https://bsky.app/profile/{steps[1]}/rss", steps[1])]
    return []


def _fediverse(url: str, steps: list[str]) -> list[tuple[str, str]]:
    """Profiles and hashtags as Mastodon and its relatives have them, on any server."""
    parts = urlsplit(url)
    if not steps or not parts.hostname:
        return []
    base = f"{parts.scheme}://{parts.netloc}"
    steps = steps[1:] if steps[0] == "web" and len(steps) > 1 else steps
    if len(steps) >= 2 and steps[0] == "tags":
        tag = steps[1].removesuffix(".rss")
        return [(f"{base}/tags/{tag}.rss", f"#{tag}")]
    name = steps[0] if steps[0].startswith("@") else f"@{steps[1]}" if steps[0] == "users" and len(steps) > 1 else ""
    # @somebody@elsewhere is shown here but has its feed there.
    if match := re.fullmatch(r"@([\w.\-]{1,100})@([\w.\-]{3,253})", name):
        return [(f"https://{match[2]}/@{match[1]}.rss", name)]
    if re.fullmatch(r"@[\w.\-]{1,100}", name):
        name = name.removesuffix(".rss")
        tagged = f"/tagged/{steps[2].removesuffix('.rss')}" if steps[1:2] == ["tagged"] and len(steps) > 2 else ""
        return [(f"{base}/{name}{tagged}.rss", f"{name} at {parts.netloc}")]
    return []


_SERVICES = (
    (("youtube.com",), _youtube),
    (("github.com",), _github),
    (("gitlab.com",), _gitlab),
    (("reddit.com",), _reddit),
    (("tumblr.com",), _tumblr),
    (("medium.com",), _medium),
    (("substack.com",), _substack),
    (("bsky.app",), _bluesky),
)
