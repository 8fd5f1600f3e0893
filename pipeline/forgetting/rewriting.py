"""Numbers, journals, pictures and page of an event made anew after toots were erased."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common.errors import MastoscoreError, NotReadyError
from events.models import Event
from jobs.context import JobContext
from pipeline import paths
from pipeline.artifacts import find_artifact
from pipeline.core.traces import Traces
from pipeline.journals import write_fetch_files
from pipeline.models import Analysis, Artifact
from pipeline.phases import analyse, blog, graph, wordcloud

# Kinds of files that are text and may name somebody.
_TEXTS = frozenset({".json", ".txt", ".md", ".svg", ".csv", ".jsonl", ".html"})


def names_them(event: Event, traces: Traces) -> bool:
    """Whether stored numbers or files of the event tell of them."""
    analysis = getattr(event, "analysis", None)
    return (analysis is not None and traces.is_in(analysis.results)) or bool(_files_naming(event, traces))


def rewrite(event: Event, traces: Traces) -> tuple[list[str], list[str]]:
    """Paths below the data folder that were written anew or removed, and sentences about what could not be."""
    done: list[str] = []
    troubles: list[str] = []
    kinds = set(event.artifacts.values_list("kind", flat=True))
    crawl = event.crawls.order_by("-id").first()
    if crawl is not None and kinds & {"journal", "fetch-report"}:
        done += write_fetch_files(event, crawl, check=lambda: None)
    for kind, phase in (("analysis", analyse.run), ("graph", graph.run), ("wordcloud", wordcloud.run)):
        if kind in kinds or (kind == "analysis" and Analysis.objects.filter(event=event).exists()):
            done += _again(event, kind, phase, troubles)
    page = find_artifact(event, "page")
    if page is not None:
        params = {"tags": page.parameters.get("tags") or [], "copy_files": bool(page.parameters.get("copied"))}
        done += _again(event, "page", blog.run, troubles, **params)
    for artifact in _files_naming(event, traces):
        _remove(artifact)
        done.append(artifact.path)
    return done, troubles


def _again(
    event: Event,
    kind: str,
    phase: Callable[[JobContext], dict[str, Any]],
    troubles: list[str],
    **params: Any,
) -> list[str]:
    """Run the phase; where there is nothing left to show, what it made goes."""
    fresh = Event.objects.get(pk=event.pk)
    try:
        return list(phase(JobContext.detached(kind, event=fresh, params={"refresh": True, **params}))["files"])
    except NotReadyError:
        if kind == "analysis":
            Analysis.objects.filter(event=event).delete()
    except MastoscoreError as error:
        troubles.append(f"{event.slug}: {error.user_message}")
        if params.get("copy_files"):
            troubles.append(f"{event.slug}: its page in the Hugo site has to be removed by hand.")
    removed = list(event.artifacts.filter(kind__startswith=kind))
    for artifact in removed:
        _remove(artifact)
    return [artifact.path for artifact in removed]


def _files_naming(event: Event, traces: Traces) -> list[Artifact]:
    return [artifact for artifact in event.artifacts.all() if _tells(artifact, traces)]


def _tells(artifact: Artifact, traces: Traces) -> bool:
    if traces.names_them(artifact.path) or traces.names_them(artifact.description):
        return True
    path = paths.data_dir() / artifact.path
    if path.suffix not in _TEXTS or not path.is_file():
        return False
    if artifact.kind == "journal":
        return _is_written_by_them(path.read_text(errors="replace"), traces)
    return traces.names_them(path.read_text(errors="replace"))


def _is_written_by_them(journal: str, traces: Traces) -> bool:
    """Others may mention them in a journal; what they wrote themselves has its address there."""
    return any(address in journal for address in traces.addresses if address.count("/") > 3)


def _remove(artifact: Artifact) -> None:
    (paths.data_dir() / artifact.path).unlink(missing_ok=True)
    artifact.delete()
