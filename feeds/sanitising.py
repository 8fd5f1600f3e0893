"""HTML of strangers made fit for our pages, once, when it is stored. Pure.

nh3 decides what is HTML and throws away what is not on the lists below. What it puts out is in one canonical spelling
(every value in double quotes, every ``<`` of a text escaped, except inside of frames, whose content is raw), so that
images, players and files in it can then be looked at one by one: addresses checked, trackers, unknown frames and what
stands in frames taken out. Nothing is added after that but values we escaped ourselves. Pages show the result under a
strict Content-Security-Policy besides.
"""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

import nh3
from lxml import etree
from lxml import html as lxml_html

from common.text import clean_text
from feeds.links import absolute_links, absolute_url, parse_srcset
from feeds.players import player_url
from feeds.trackers import is_tracker

MAX_HTML_CHARS = 1_000_000

_TEXT_TAGS = """
    a abbr article aside b bdi bdo blockquote br caption center cite code col colgroup dd del details dfn div dl dt em
    figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i ins kbd li main mark nav ol p pre q rp rt ruby s
    samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr
"""
_MEDIA_TAGS = frozenset({"img", "picture", "source", "video", "audio", "track", "iframe"})
_TAGS = frozenset(_TEXT_TAGS.split()) | _MEDIA_TAGS
_HIDDEN_TAGS = """
    applet embed frameset head math noembed noframes noscript object plaintext script select style svg template
    textarea title xmp
"""
_DROPPED_WITH_CONTENT = frozenset(_HIDDEN_TAGS.split())
_LAZY_SOURCES = ("data-src", "data-lazy-src", "data-original", "data-orig-file")
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "lang"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "audio": {"src"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"datetime"},
    "details": {"open"},
    "iframe": {"src", "title", "width", "height"},
    "img": {"src", "srcset", "sizes", "alt", "title", "width", "height", "style", *_LAZY_SOURCES},
    "ins": {"datetime"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "source": {"src", "srcset", "sizes", "type", "media"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "time": {"datetime"},
    "track": {"src", "kind", "srclang", "label"},
    "video": {"src", "poster", "width", "height"},
}
_IN_FRAME = "allow-scripts allow-same-origin allow-popups allow-presentation"


def _with_scheme(url: str) -> str | None:
    """``//host/path`` as https; other relative addresses lead nowhere and are dropped."""
    return absolute_url(f"https:{url}", "") or None if url.startswith("//") else None


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED_WITH_CONTENT,
    attributes=_ATTRIBUTES,
    url_schemes={"http", "https", "mailto", "tel", "xmpp", "geo", "magnet"},
    url_relative=_with_scheme,
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    # Read to find invisible images; no style is kept.
    filter_style_properties={"display", "width", "height", "visibility"},
)

_VALUES = r'((?:\s[^\s=<>"]+="[^"]*")*)'
# A frame is taken with all that stands in it: to HTML that is no markup, so nh3 leaves it as it came.
_MEDIA = re.compile(rf"<(iframe){_VALUES}>.*?</iframe>|<(img|source|track|video|audio){_VALUES}\s*/?>", re.DOTALL)
_PAIR = re.compile(r'\s([^\s=<>"]+)="([^"]*)"')
_EMPTY_LINK = re.compile(r'<a(?:\s[^\s=<>"]+="[^"]*")*>\s*</a>')
_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d+)?\s*(?:px)?\s*")
_HIDDEN = re.compile(
    r"display:\s*none|visibility:\s*hidden|(?:^|[;\s])(?:width|height):\s*[01](?:\.\d+)?(?:px)?\s*(?:;|$)"
)

# html5ever needs time and memory that grow with open tags times later ones; more tags than this are balanced first.
_MAX_TAGS_AS_THEY_ARE = 1000
_MAX_FORMATTING_DEPTH = 16
_FORMATTING_TAGS = "a b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_TAGS.split())
_CROWDED_TAG = re.compile(r"<[a-zA-Z][^<>]{5000,}+>?")


def sanitise(markup: str, *, base_url: str = "") -> str:
    """The HTML with nothing in it that runs, frames, tracks or leads anywhere but to the web.

    Links that are still relative are resolved by ``base_url``, without one they lose their address. Reads at most the
    first million characters; takes time in proportion to the size whatever is sent.
    """
    markup = clean_text(markup[:MAX_HTML_CHARS])
    if "<" not in markup and "&" not in markup:
        return html.escape(markup, quote=False)
    if base_url:
        markup = absolute_links(markup, base_url)
    if markup.count("<") > _MAX_TAGS_AS_THEY_ARE or len(markup) > 200_000:
        markup = _balanced(_CROWDED_TAG.sub("", markup))
    settled = _MEDIA.sub(_settle, _CLEANER.clean(markup))
    return _EMPTY_LINK.sub("", settled).strip()


def _settle(found: re.Match[str]) -> str:
    """One tag of the canonical HTML as it may stand, or nothing."""
    name = found[1] or found[3]
    values = {key: html.unescape(value) for key, value in _PAIR.findall(found[2] or found[4] or "")}
    if name == "iframe":
        return _frame(values)
    return _image(values) if name == "img" else _file(name, values)


def _image(values: dict[str, str]) -> str:
    url = next((url for key in ("src", *_LAZY_SOURCES) if (url := absolute_url(values.get(key), ""))), "")
    if lazy := next((found for key in _LAZY_SOURCES if (found := absolute_url(values.get(key), ""))), ""):
        url = lazy  # its src is only a placeholder
    choices = "" if lazy else _srcset(values.get("srcset", ""))
    if not (url or choices) or _is_invisible(values) or is_tracker(url):
        return ""
    kept = {"src": url, "srcset": choices, "sizes": values.get("sizes", "")[:500] if choices else ""}
    kept |= {key: values.get(key, "")[:1000] for key in ("alt", "title", "dir", "lang")}
    kept |= _size(values)
    kept |= {"loading": "lazy", "decoding": "async", "referrerpolicy": "no-referrer"}
    return _written("img", {"alt": "", **{key: value for key, value in kept.items() if value}})


def _frame(values: dict[str, str]) -> str:
    """A known player in its sandbox; any other frame becomes a link."""
    url = absolute_url(values.get("src"), "")
    player = player_url(url)
    if player:
        kept = {"src": player, "title": values.get("title", "")[:200] or "Player", **_size(values)}
        kept |= {"sandbox": _IN_FRAME, "allow": "fullscreen; encrypted-media; picture-in-picture"}
        # Some players refuse to play for a page that does not say which site it is of.
        kept |= {"allowfullscreen": "", "loading": "lazy", "referrerpolicy": "strict-origin-when-cross-origin"}
        return _written("iframe", kept) + "</iframe>"
    if not url or is_tracker(url) or _is_invisible(values):
        return ""
    link = _written("a", {"href": url, "target": "_blank", "rel": "noopener noreferrer"})
    return f"<p>{link}{html.escape(urlsplit(url).hostname or url)}</a></p>"


def _file(name: str, values: dict[str, str]) -> str:
    """``video``, ``audio`` and what stands in them; nothing is loaded before somebody presses play."""
    kept = {"src": absolute_url(values.get("src"), ""), "srcset": _srcset(values.get("srcset", ""))}
    kept["poster"] = absolute_url(values.get("poster"), "")
    kept |= {key: values.get(key, "")[:500] for key in ("sizes", "type", "media", "kind", "srclang", "label")}
    kept = {key: value for key, value in {**kept, **_size(values)}.items() if value}
    if name in ("source", "track"):
        return _written(name, kept) if "src" in kept or "srcset" in kept else ""
    return _written(name, {**kept, "controls": "", "preload": "none"})


def _srcset(value: str) -> str:
    pairs = ((absolute_url(address, ""), descriptor) for address, descriptor in parse_srcset(value))
    return ", ".join(f"{address} {descriptor[:20]}".strip() for address, descriptor in pairs if address)


def _size(values: dict[str, str]) -> dict[str, str]:
    found = {key: _PIXELS.fullmatch(values.get(key, "")) for key in ("width", "height")}
    return {key: match[1] for key, match in found.items() if match}


def _is_invisible(values: dict[str, str]) -> bool:
    sizes = [int(size) for size in _size(values).values()]
    return any(size <= 1 for size in sizes) or _HIDDEN.search(values.get("style", "")) is not None


def _written(name: str, values: dict[str, str]) -> str:
    pairs = "".join(f' {key}="{html.escape(value)}"' for key, value in values.items())
    return f"<{name}{pairs}>"


def _balanced(markup: str) -> str:
    """The HTML with every tag closed where it should be and no heaps of open ones; nothing is judged here."""
    try:
        root = lxml_html.fragment_fromstring(markup, create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return html.escape(markup, quote=False)
    for element in _too_deep(root):
        element.drop_tag()
    result: str = lxml_html.tostring(root, encoding="unicode")
    return result.removeprefix("<div>").removesuffix("</div>")


def _too_deep(root: Any) -> list[Any]:
    """Formatting elements inside of more such elements than anybody means."""
    found, depth = [], 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag in _FORMATTING:
            depth += 1 if event == "start" else -1
            if event == "start" and depth > _MAX_FORMATTING_DEPTH:
                found.append(element)
    return found
