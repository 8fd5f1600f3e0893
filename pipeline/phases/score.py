"""Everything in a row: fetch, analyse, graph, word cloud, poster, blog page, and the thread as a draft."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from common.errors import ConfigurationError, RemoteError
from pipeline.core.poster import UnusableImage
from pipeline.phases import analyse, blog, fetch, graph, post, poster, wordcloud
from pipeline.thread.plan import refuse_if_edited, refuse_if_frozen

if TYPE_CHECKING:
    from jobs.context import JobContext

Phase = Callable[["JobContext"], dict[str, Any]]


def run(ctx: JobContext) -> dict[str, Any]:
    """``mock``: fetch from the bundled fediverse; ``skip_fetch``: score what is stored; ``refresh``: analyse anew;
    ``copy_files``: put the blog page into the Hugo site as well.

    Sends nothing. The first phase that fails ends the score; what the phases before it made stays.
    """
    results: dict[str, dict[str, Any]] = {}
    for kind, function, params in _phases(ctx.params):
        ctx.check_cancelled()
        results[kind] = function(ctx.phase(kind, **params))
        ctx.keep_partial({"phases": results})
    return {"phases": results, "files": _files(results), "summary": _summary(results)}


def run_poster_if_possible(ctx: JobContext) -> dict[str, Any]:
    """A score is whole without a poster: ``skipped`` says why there is none."""
    try:
        return poster.run(ctx)
    except (ConfigurationError, RemoteError, UnusableImage) as error:
        ctx.check_cancelled()
        ctx.say(f"No poster: {error.user_message}")
        return {"skipped": error.user_message, "files": []}


def draft_if_not_posted(ctx: JobContext) -> dict[str, Any]:
    """Scoring again renews numbers and pages; a thread that is out, approved or written by hand stays as it is."""
    try:
        refuse_if_frozen(ctx.event)
        refuse_if_edited(ctx.event)
    except ConfigurationError as error:
        ctx.say(error.user_message)
        return {"skipped": error.user_message, "files": []}
    return post.run(ctx)


def _phases(params: dict[str, Any]) -> Iterator[tuple[str, Phase, dict[str, Any]]]:
    is_mock = bool(params.get("mock"))
    if not params.get("skip_fetch"):
        yield "fetch", fetch.run, {"mock": is_mock}
    yield "analyse", analyse.run, {"refresh": bool(params.get("refresh"))}
    yield "graph", graph.run, {}
    yield "wordcloud", wordcloud.run, {}
    yield "poster", run_poster_if_possible, {}
    yield "blog", blog.run, {"copy_files": bool(params.get("copy_files"))}
    yield "post", draft_if_not_posted, {"mock": is_mock}


def _files(results: dict[str, dict[str, Any]]) -> list[str]:
    """Every file once, in the order first written."""
    return list(dict.fromkeys(name for result in results.values() for name in result.get("files", [])))


def _summary(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The numbers a person wants first."""
    fetched, analysed = results.get("fetch", {}), results["analyse"]
    return {
        "toots": analysed["toots"],
        "authors": analysed["authors"],
        "boosts": analysed["boosts"],
        "favourites": analysed["favourites"],
        "replies": analysed["replies"],
        "servers_asked": fetched.get("servers"),
        "servers_answered": fetched.get("answered"),
        "thread": results["post"].get("toots", 0),
        "skipped": {kind: result["skipped"] for kind, result in results.items() if "skipped" in result},
    }
