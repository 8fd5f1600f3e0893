"""Addresses in feeds: made absolute, and only those that lead to the web. Pure.

The HTML is looked at tag by tag; what a page may show of it is sanitising's business, not this module's.
"""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

from common.text import clean_line

MAX_URL_CHARS = 2000

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")
_LINE_BREAKS = re.compile("[\t\n\r]+")
_UNSAFE = re.compile(r"""[\s<>"'`\\^{|}]""")
_TAG_WITH_ATTRIBUTES = re.compile(r"<[a-zA-Z][^<>=]*+=[^<>]*>")
_ATTRIBUTE = re.compile(
    r"""(?<=[\s"'/])(href|src|poster|cite|srcset|data-src)(\s*+=\s*+)(?:"([^"<>]*+)"|'([^'<>]*+)'|([^\s"'<>]++))""",
    re.IGNORECASE,
)
_ESCAPES = {" ": "%20", "<": "%3C", ">": "%3E", '"': "%22", "'": "%27", "`": "%60", "\\": "%5C", "^": "%5E"}
_ESCAPES |= {"{": "%7B", "|": "%7C", "}": "%7D"}


def absolute_url(url: object, base: str) -> str:
    """The http(s) address that ``url`` means on the page ``base``, fit for a link; "" if it means none.

    Blanks, quotes and brackets in it are escaped, controls dropped; ``feed:`` is read as https. Nothing over 2,000
    characters, without a host, or with a user name in it.
    """
    if not isinstance(url, str):
        return ""
    text = clean_line(_LINE_BREAKS.sub("", url))  # as browsers do
    if text[:5].lower() == "feed:":
        text = text[5:] if text[5:12].lower().startswith(("http:", "https:")) else "https:" + text[5:]
    if not text or len(text) > MAX_URL_CHARS:
        return ""
    try:
        joined = text if is_absolute(text) else urljoin(base, text)
        parts = urlsplit(joined)
        is_address = bool(parts.hostname) and parts.port != 0  # a port that is none raises
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not is_address or "@" in parts.netloc:
        return ""
    joined = parts.scheme + joined[len(parts.scheme) :]
    joined = _UNSAFE.sub(lambda found: _ESCAPES.get(found[0], ""), joined)
    return joined if len(joined) <= MAX_URL_CHARS else ""


def is_absolute(url: str) -> bool:
    """Whether the text names a scheme of its own (any: ``tag:`` too)."""
    return _SCHEME.match(url) is not None


def absolute_links(markup: str, base: str) -> str:
    """The HTML with every relative link, image, player and ``srcset`` resolved by ``base``; the rest is as it was."""
    if not base or "=" not in markup:
        return markup
    return _TAG_WITH_ATTRIBUTES.sub(lambda tag: _ATTRIBUTE.sub(lambda found: _resolved(found, base), tag[0]), markup)


def parse_srcset(value: str) -> list[tuple[str, str]]:
    """The (address, descriptor) pairs of a ``srcset``; an address may hold commas, so blanks part them."""
    pairs = []
    for part in re.split(r",\s+|,(?=\s*(?:https?:)?//)", value[:20_000]):
        address, _, descriptor = part.strip(" \t\r\n,").partition(" ")
        if address:
            pairs.append((address, descriptor.strip()))
    return pairs[:20]


def _resolved(found: re.Match[str], base: str) -> str:
    name, equals, double, single, bare = found.groups()
    value = double if double is not None else single if single is not None else bare
    if not value or len(value) > 20_000:
        return found[0]
    text = html.unescape(value).strip() if "&" in value else value.strip()
    changed = _resolved_set(text, base) if name.lower() == "srcset" else _resolved_one(text, base)
    return found[0] if changed == text else f'{name}{equals}"{html.escape(changed)}"'


def _resolved_one(text: str, base: str) -> str:
    if not text or text.startswith("#") or is_absolute(text):
        return text
    return absolute_url(text, base) or text


def _resolved_set(text: str, base: str) -> str:
    pairs = ((_resolved_one(address, base), descriptor) for address, descriptor in parse_srcset(text))
    return ", ".join(f"{address} {descriptor}".strip() for address, descriptor in pairs)
