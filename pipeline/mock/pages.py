"""What a person sees who opens an address of the bundled fediverse: a toot, a profile, a small picture."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from io import BytesIO
from urllib.parse import urlsplit
from zlib import crc32

from PIL import Image, ImageDraw

from pipeline.mock.markup import to_html
from pipeline.mock.records import MockAuthor, MockServer, MockToot

_SHELL = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ margin: 0; background: #17132b; color: #efeaf9; font: 17px/1.5 system-ui, sans-serif }}
main {{ max-width: 34rem; margin: 3rem auto; padding: 1.5rem; background: #241d42; border-radius: 12px }}
a {{ color: #b4f26d }} small, time {{ color: #a79cc9 }} h1 {{ font-size: 1.1rem; margin: 0 0 1rem }}
img {{ max-width: 100%; border-radius: 8px }}
</style></head><body><main>{body}<p><small>{server}: part of the fediverse bundled with Mastoscore.</small></p></main>
</body></html>
"""
_SKIES = ((38, 30, 77), (24, 58, 71), (72, 32, 66), (30, 44, 90))


def public_page(server: MockServer, path: str, hashtag: str) -> str | None:
    """The page of a toot or an author who lives there, or the start page; None if there is none."""
    for row in server.rows:
        toot = row.toot
        is_here = toot is not None and row.is_local_to(server.name) and not row.needs_token
        if toot is not None and is_here and path in (urlsplit(toot.url).path, urlsplit(toot.uri).path):
            return _page(server, f"{toot.author.display_name}: {toot.text[:60]}", _toot_body(server, toot))
    for author in server.authors:
        if path in (f"/@{author.username}", f"/users/{author.username}"):
            return _page(server, author.display_name, _author_body(author))
    if path in ("/", f"/tags/{hashtag}", f"/tag/{hashtag}"):
        return _page(server, server.behaviour.title, f"<h1>{escape(server.behaviour.title)}</h1><p>Good evening.</p>")
    return None


def own_toot_page(server: MockServer, name: str, content: str) -> str:
    """``content``: as ``to_html`` made it."""
    return _page(server, name, f'<h1>{escape(name)}</h1><div dir="auto">{content}</div>')


def parked_page(server: MockServer) -> str:
    return _page(server, "This domain is parked", "<h1>This domain is parked</h1><p>Nothing plays here tonight.</p>")


def missing_page(server: MockServer) -> str:
    return _page(server, "Not found", "<h1>Not found</h1><p>The jelly must have eaten it.</p>")


@lru_cache(maxsize=256)
def small_picture(name: str) -> bytes:
    """A PNG of 320 by 180: something wobbly in front of a night sky, another one for every name."""
    number = crc32(name.encode())
    picture = Image.new("RGB", (320, 180), _SKIES[number % len(_SKIES)])
    draw = ImageDraw.Draw(picture)
    for star in range(30):
        x, y = (number >> (star % 16)) * (star + 7) % 320, (number >> (star % 11)) * (star + 3) % 110
        draw.point((x, y), (255, 244, 200))
    width, height = 90 + number % 90, 50 + (number >> 8) % 60
    left = 60 + (number >> 4) % 110
    draw.ellipse((left, 170 - height, left + width, 200), (150, 220, 90), (90, 150, 60), 3)
    for eye in (left + width // 3, left + 2 * width // 3):
        draw.ellipse((eye - 7, 182 - height, eye + 7, 196 - height), (250, 250, 240), (30, 40, 30), 2)
    stream = BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _toot_body(server: MockServer, toot: MockToot) -> str:
    """Text made anew from the plain one: a page of ours never shows raw HTML of a guest."""
    pictures = "".join(
        f'<p><img src="/media/still-{toot.number}-{position}.png" alt="{escape(alt, quote=True)}"></p>'
        for position, alt in enumerate(toot.alt_texts)
    )
    warning = f"<p><strong>{escape(toot.spoiler_text)}</strong></p>" if toot.spoiler_text else ""
    return (
        f"<h1>{_author_link(toot.author)}</h1>{warning}"
        f'<div dir="auto">{to_html(toot.text, server=server.name, software="mastodon")}</div>{pictures}'
        f"<p><time>{toot.created_at:%Y-%m-%d %H:%M} UTC</time> · {toot.counts.boosts} boosts · "
        f"{toot.counts.favourites} favourites · {toot.counts.replies} replies</p>"
    )


def _author_body(author: MockAuthor) -> str:
    return f"<h1>{_author_link(author)}</h1><p>{escape(author.note)}</p>"


def _author_link(author: MockAuthor) -> str:
    href = escape(author.url, quote=True)
    return f'<bdi>{escape(author.display_name)}</bdi> <a href="{href}">@{escape(author.handle)}</a>'


def _page(server: MockServer, title: str, body: str) -> str:
    return _SHELL.format(title=escape(title), body=body, server=escape(server.name))
