"""A stand-in for The Movie Database and its image host, on loopback."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from PIL import Image

KEY = "0123456789abcdef0123456789abcdef"
ACCESS_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"


def poster_image(kind: str = "JPEG", size: tuple[int, int] = (342, 513), colour: str = "seagreen") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def film(number: int, title: str, year: int, **values: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "title": title,
        "poster_path": f"/poster{number}.jpg",
        "release_date": f"{year}-09-10",
        "overview": f"About {title}.",
    }
    return {**row, **values}


BLOBS = (
    film(9, "Beware! The Blob", 1972),
    film(1, "The Blob", 1988),
    film(2, "The Blob", 1958),
    film(3, "The Blob of Nowhere", 1958, poster_path=None),
)


@dataclass
class Tmdb:
    """``films`` are searched by title and year; ``images`` are what the image host has, by path.

    ``status`` other than 200 is the answer to every search; ``requests`` holds path, query and headers as they came.
    """

    films: tuple[dict[str, Any], ...] = BLOBS
    images: dict[str, bytes] = field(default_factory=dict)
    keywords: tuple[str, ...] = ("jelly", "small town")
    status: int = 200
    keyword_status: int = 200
    redirect_images_to: str = ""
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    def __enter__(self) -> Self:
        tmdb = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                tmdb.requests.append((parts.path, query, dict(self.headers)))
                status, kind, body = tmdb.answer(parts.path, query, dict(self.headers))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", tmdb.redirect_images_to)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Tests read ``requests`` instead."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def place(self) -> str:
        """``address:port``, as MASTOSCORE_PRIVATE_HOSTS takes it."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def use(self, settings: Any, *, key: str = KEY) -> None:
        """Point the site's settings here."""
        settings.TMDB_API_KEY = key
        settings.TMDB_API_URL = f"http://{self.place}/3"
        settings.TMDB_IMAGE_URL = f"http://{self.place}/t/p"
        settings.MASTOSCORE_PRIVATE_HOSTS = [self.place]

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, str, bytes]:
        if path.startswith("/t/p/"):
            return self._image(path)
        if query.get("api_key") != KEY and headers.get("Authorization") != f"Bearer {ACCESS_TOKEN}":
            return 401, "application/json", b'{"status_message": "Invalid API key"}'
        if path == "/3/search/movie":
            return self._json(self.status, {"page": 1, "results": self._search(query)})
        if path.endswith("/keywords"):
            rows = [{"id": number, "name": name} for number, name in enumerate(self.keywords)]
            return self._json(self.keyword_status, {"keywords": rows})
        return self._json(404, {})

    def _search(self, query: dict[str, str]) -> list[dict[str, Any]]:
        words = query["query"].casefold()
        found = [row for row in self.films if words in row["title"].casefold()]
        return [row for row in found if "year" not in query or row["release_date"].startswith(query["year"])]

    def _image(self, path: str) -> tuple[int, str, bytes]:
        if self.redirect_images_to:
            return 302, "text/plain", b""
        name = "/" + path.rpartition("/")[2]
        known = {str(row["poster_path"]) for row in self.films if row["poster_path"]}
        content = self.images.get(name, poster_image() if name in known else b"")
        return (200, "image/jpeg", content) if content else (404, "text/plain", b"no such image")

    @staticmethod
    def _json(status: int, value: Any) -> tuple[int, str, bytes]:
        return status, "application/json", json.dumps(value).encode()
