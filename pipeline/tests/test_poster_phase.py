"""The poster phase against a stand-in for The Movie Database on loopback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from common.errors import ConfigurationError, RemoteError
from jobs.context import JobContext
from pipeline.core.poster import UnusableImage
from pipeline.phases import poster
from pipeline.phases.poster import NoPosterFound, NoTitle, find_kept_poster, search_posters, select_poster
from pipeline.tmdb import NoKey, NotAPosterAddress, TmdbTrouble
from tests.remote.tmdb import ACCESS_TOKEN, KEY, Tmdb, film, poster_image


@pytest.fixture
def tmdb(settings: Any) -> Iterator[Tmdb]:
    with Tmdb() as stand_in:
        stand_in.use(settings)
        yield stand_in


def run(event: Any, **params: Any) -> dict[str, Any]:
    return poster.run(JobContext.detached("poster", event=event, params=params))


def thumb(data_dir: Path) -> Path:
    return data_dir / "2026" / "02" / "22" / "thumb.jpg"


def test_search_answers_with_the_keys_of_the_contract(make_event: Any, tmdb: Tmdb) -> None:
    found = search_posters(make_event(episode_title="The Blob (1958)"))
    assert (found.title, found.year) == ("The Blob", "1958")
    assert found.as_dicts() == [
        {
            "id": "2",
            "title": "The Blob",
            "poster_path": "/poster2.jpg",
            "poster_url": f"http://{tmdb.place}/t/p/w342/poster2.jpg",
            "year": "1958",
            "overview": "About The Blob.",
            "keywords": ["jelly", "small town"],
        }
    ]


def test_query_replaces_the_episode_title(make_event: Any, tmdb: Tmdb) -> None:
    found = search_posters(make_event(), "blob")
    assert (found.title, found.year) == ("blob", None)
    assert [film.id for film in found.posters] == ["9", "1", "2"]


def test_five_posters_are_enough(make_event: Any, tmdb: Tmdb) -> None:
    tmdb.films = tuple(film(number, f"Blob {number}", 1958) for number in range(12))
    assert len(search_posters(make_event(), "Blob").posters) == 5


def test_posters_can_be_chosen_without_keywords(make_event: Any, tmdb: Tmdb) -> None:
    tmdb.keyword_status = 500
    assert [film.keywords for film in search_posters(make_event()).posters] == [()]


def test_access_token_goes_in_a_header_and_key_in_the_query(make_event: Any, tmdb: Tmdb, settings: Any) -> None:
    search_posters(make_event())
    path, query, headers = tmdb.requests[0]
    assert (path, query["api_key"], query["year"]) == ("/3/search/movie", KEY, "1958")
    assert "Authorization" not in headers
    tmdb.requests.clear()
    tmdb.use(settings, key=ACCESS_TOKEN)
    assert search_posters(make_event(slug="other", hashtag="other")).posters
    _, query, headers = tmdb.requests[0]
    assert "api_key" not in query
    assert headers["Authorization"] == f"Bearer {ACCESS_TOKEN}"


@pytest.mark.parametrize("key", ["wrongkey-3fa9", "e30.wrongtoken3fa9.c2ln"])
def test_refused_key_is_said_and_never_shown(
    make_event: Any, tmdb: Tmdb, settings: Any, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    tmdb.use(settings, key=key)
    caplog.set_level(logging.INFO)
    with pytest.raises(TmdbTrouble, match="401") as caught:
        search_posters(make_event())
    assert caught.value.user_message == "The Movie Database does not accept our key (TMDB_API_KEY)."
    assert key not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}{caplog.text}"


@pytest.mark.parametrize(("status", "is_permanent"), [(500, False), (429, False), (404, True)])
def test_trouble_of_the_database_is_a_remote_error(
    make_event: Any, tmdb: Tmdb, status: int, is_permanent: bool
) -> None:
    tmdb.status = status
    with pytest.raises(TmdbTrouble) as caught:
        search_posters(make_event())
    assert (caught.value.status_code, caught.value.permanent) == (status, is_permanent)


def test_dead_database_is_a_remote_error_without_the_key(make_event: Any, settings: Any) -> None:
    with Tmdb() as gone:
        gone.use(settings)
    with pytest.raises(RemoteError) as caught:
        search_posters(make_event())
    assert KEY not in f"{caught.value} {caught.value.user_message} {caught.value.__context__!r}"


def test_phase_takes_same_title_and_year_and_stores_it(make_event: Any, tmdb: Tmdb, data_dir: Path) -> None:
    event = make_event(episode_title="The Blob (1988)")
    result = run(event)
    assert result["kept"] is False
    assert result["poster_url"].endswith("/w342/poster1.jpg")
    assert result["files"] == ["2026/02/22/thumb.jpg"]
    with Image.open(thumb(data_dir)) as image:
        assert (image.format, image.size) == ("JPEG", (342, 513))
    artifact = event.artifacts.get(kind="poster")
    assert artifact.description == "Poster of The Blob"
    assert artifact.parameters["tmdb_id"] == "1"


def test_likeliest_film_is_taken_from_the_whole_page(make_event: Any, tmdb: Tmdb) -> None:
    tmdb.films = (*(film(number, f"The Blob {number}", 1958) for number in range(10, 20)), film(2, "The Blob", 1958))
    assert run(make_event())["poster_url"].endswith("/poster2.jpg")


def test_second_run_keeps_the_poster_and_asks_nobody(make_event: Any, tmdb: Tmdb, settings: Any) -> None:
    event = make_event()
    run(event)
    tmdb.requests.clear()
    settings.TMDB_API_KEY = ""
    assert run(event)["kept"] is True
    assert tmdb.requests == []


def test_refresh_looks_again(make_event: Any, tmdb: Tmdb) -> None:
    event = make_event()
    run(event)
    tmdb.images["/poster2.jpg"] = poster_image(colour="firebrick", size=(300, 450))
    assert run(event, refresh=True)["kept"] is False
    artifact = event.artifacts.get(kind="poster")
    assert artifact.size > 0


def test_new_title_gets_a_new_poster_unless_a_person_chose(make_event: Any, tmdb: Tmdb) -> None:
    event = make_event(episode_title="The Blob (1988)")
    run(event)
    event.episode_title = "The Blob (1958)"
    assert find_kept_poster(event) is None
    assert run(event)["poster_url"].endswith("/poster2.jpg")
    select_poster(event, f"http://{tmdb.place}/t/p/w342/poster9.jpg")
    event.episode_title = "Something else"
    assert run(event)["kept"] is True


def test_chosen_poster_needs_no_key(make_event: Any, tmdb: Tmdb, settings: Any, data_dir: Path) -> None:
    settings.TMDB_API_KEY = ""
    tmdb.images["/poster1.jpg"] = poster_image("PNG", (400, 600))
    result = run(make_event(episode_title=""), poster_url=f"http://{tmdb.place}/t/p/w342/poster1.jpg")
    assert result["description"] == "Film poster"
    assert Image.open(BytesIO(thumb(data_dir).read_bytes())).format == "JPEG"


@pytest.mark.parametrize(
    "address",
    ["http://evil.example/t/p/w342/poster1.jpg", "http://127.0.0.1/t/p/w342/poster1.jpg", "file:///etc/passwd", "x"],
)
def test_addresses_elsewhere_are_refused_unasked(make_event: Any, tmdb: Tmdb, address: str) -> None:
    with pytest.raises(NotAPosterAddress):
        select_poster(make_event(), address)
    assert tmdb.requests == []


def test_redirect_of_the_image_host_is_not_followed(make_event: Any, tmdb: Tmdb) -> None:
    tmdb.redirect_images_to = f"http://{tmdb.place}/3/search/movie"
    with pytest.raises(RemoteError):
        select_poster(make_event(), f"http://{tmdb.place}/t/p/w342/poster1.jpg")
    assert [path for path, _, _ in tmdb.requests] == ["/t/p/w342/poster1.jpg"]


@pytest.mark.parametrize("content", [b"<html>no</html>", poster_image()[:300], b"x" * 8_100_000])
def test_what_is_no_picture_is_refused_and_the_old_one_stays(
    make_event: Any, tmdb: Tmdb, data_dir: Path, content: bytes
) -> None:
    event = make_event()
    run(event)
    before = thumb(data_dir).read_bytes()
    tmdb.images["/poster1.jpg"] = content
    with pytest.raises((UnusableImage, RemoteError)) as caught:
        select_poster(event, f"http://{tmdb.place}/t/p/w342/poster1.jpg")
    assert caught.value.user_message
    assert thumb(data_dir).read_bytes() == before


def test_missing_key_title_and_film_are_said_in_a_sentence(make_event: Any, tmdb: Tmdb, settings: Any) -> None:
    event = make_event(episode_title="")
    with pytest.raises(NoTitle, match="no episode title"):
        run(event)
    event.episode_title = "Nothing of that name (1958)"
    with pytest.raises(NoPosterFound, match="no poster for “Nothing of that name” of 1958"):
        run(event)
    settings.TMDB_API_KEY = ""
    with pytest.raises(NoKey, match="TMDB_API_KEY") as caught:
        run(event)
    assert isinstance(caught.value, ConfigurationError)
