"""The list of sources; one of them refreshed, changed, deleted; many moved or deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.times import now_utc
from feeds import refresh, subscribing
from feeds.errors import AlreadySubscribed, FeedsError
from feeds.models import Category, Mute, Post, Source
from feeds.pages.manage.allowances import TOO_MANY, may_ask
from feeds.pages.manage.forms import SourceFilter, SourceForm, own_categories
from feeds.pages.manage.ground import back_to, find_own, go, is_fragment, page, plural, show, user_of
from feeds.pages.manage.states import CONDITIONS, SourceRow, as_rows, with_feeds
from feeds.retrieval import open_gate
from feeds.sources import change_source, delete_source, delete_sources, move_sources
from feeds.turns import turn_of
from jobs.models import Job

PER_PAGE = 50
MAX_CHOSEN = 5000
MAX_NAMED = 20
_MAX_WORDS = 8


@page("GET")
def source_list(request: HttpRequest) -> HttpResponse:
    given = SourceFilter(user_of(request), request.GET)
    given.is_valid()
    chosen = _filtered(user_of(request), given.cleaned_data)
    paginator = Paginator(chosen, PER_PAGE)
    shown = paginator.get_page(request.GET.get("page"))
    query = {name: value for name in ("q", "category", "state") if (value := request.GET.get(name, "")[:200])}
    context = {
        "room": "sources",
        "form": given,
        "page": shown,
        "rows": as_rows(list(shown.object_list), now_utc()),
        "query": urlencode(query),
        "is_filtered": bool(query),
        "has_any": paginator.count > 0 or Source.objects.filter(user=user_of(request)).exists(),
        "categories": own_categories(user_of(request)),
        "here": request.get_full_path(),
    }
    return show(request, "sources", context)


@page("GET")
def source_row(request: HttpRequest, pk: int) -> HttpResponse:
    """One row of the list, for a page that waits for a refresh; ``job`` is the one it waits for."""
    source = find_own(with_feeds(Source.objects.all()), user_of(request), pk)
    (row,) = as_rows([source], now_utc())
    row.said = _outcome(row, request.GET.get("job", ""))
    return render(request, "reader/manage/_source.html", {"row": row, "is_alone": True})


@page("POST")
def source_refresh(request: HttpRequest, pk: int) -> HttpResponse:
    source = find_own(with_feeds(Source.objects.all()), user_of(request), pk)
    may = may_ask(user_of(request), "refresh")
    if may:
        refresh.queue_source(source, asked_by=user_of(request))
    if is_fragment(request):
        (row,) = as_rows([source], now_utc())
        row.said = "" if may else TOO_MANY
        return render(request, "reader/manage/_source.html", {"row": row, "is_alone": True})
    if may:
        messages.info(request, f"“{source.name}” is being asked for news. Load the page again in a moment.")
    else:
        messages.error(request, TOO_MANY)
    return go(request, back_to(request, "reader-sources"))


@page("GET", "POST")
def source_edit(request: HttpRequest, pk: int) -> HttpResponse:
    source = find_own(Source.objects.select_related("feed", "category"), user_of(request), pk)
    form = SourceForm(source, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _change(source, form):
        messages.success(request, f"“{source.name}” was changed.")
        return go(request, back_to(request, "reader-sources"))
    (row,) = as_rows([source], now_utc())
    context = {"room": "sources", "form": form, "row": row, "back": back_to(request, "reader-sources")}
    return show(request, "source_edit", context, status=422 if form.is_bound else 200)


@page("GET", "POST")
def source_delete(request: HttpRequest, pk: int) -> HttpResponse:
    source = find_own(Source.objects.all(), user_of(request), pk)
    if request.method == "POST":
        delete_source(source)
        messages.success(request, f"“{source.name}” was deleted with its posts.")
        return go(request, back_to(request, "reader-sources"))
    context = {"room": "sources", "sources": [source], "back": back_to(request, "reader-sources")}
    return show(request, "source_delete", context | _what_goes([source.pk]))


class BulkForm(forms.Form):
    """``ids``: the boxes that were ticked. ``action`` is a button."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("move", "delete", "delete-now")])
    category = forms.ModelChoiceField(queryset=Category.objects.none(), required=False)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        category: Any = self.fields["category"]
        category.queryset = own_categories(user)


@page("POST")
def source_bulk(request: HttpRequest) -> HttpResponse:
    """Moves at once; deletes after a second page that says what goes."""
    back = back_to(request, "reader-sources")
    form = BulkForm(user_of(request), request.POST)
    ids = read_ids(request.POST.getlist("ids"))
    sources = list(Source.objects.filter(user=user_of(request), pk__in=ids).order_by("name", "pk"))
    if not form.is_valid() or not sources:
        messages.error(request, "Nothing was changed: tick the sources first, then choose what to do.")
        return go(request, back)
    if form.cleaned_data["action"] == "move":
        category = form.cleaned_data["category"]
        if category is None:
            messages.error(request, "Nothing was moved: choose a category first.")
            return go(request, back)
        moved = move_sources(user_of(request), ids, category)
        messages.success(request, f"{plural(moved, 'source')} moved to “{category.description}”.")
        return go(request, back)
    if form.cleaned_data["action"] == "delete-now":
        delete_sources(sources)
        messages.success(request, f"{plural(len(sources), 'source')} deleted with their posts.")
        return go(request, back)
    ids = [source.pk for source in sources]
    context = {
        "room": "sources",
        "sources": sources[:MAX_NAMED],
        "more": max(0, len(sources) - MAX_NAMED),
        "count": len(sources),
        "ids": ",".join(map(str, ids)),
        "back": back,
    }
    return show(request, "source_delete", context | _what_goes(ids))


def read_ids(given: Iterable[str]) -> list[int]:
    """The numbers in boxes and comma lists; what is none is passed over."""
    texts = (text for value in given for text in value[: MAX_CHOSEN * 20].split(","))
    numbers = (int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= 18)
    return list(dict.fromkeys(numbers))[:MAX_CHOSEN]


def _filtered(user: Any, values: dict[str, Any]) -> QuerySet[Source]:
    sources = with_feeds(Source.objects.filter(user=user)).order_by("name", "pk")
    for word in values.get("q", "").split()[:_MAX_WORDS]:
        sources = sources.filter(Q(name__icontains=word) | Q(feed__url__icontains=word) | Q(url__icontains=word))
    if values.get("category"):
        sources = sources.filter(category=values["category"])
    if values.get("state"):
        sources = sources.filter(CONDITIONS[values["state"]])
        if values["state"] in ("issues", "failed"):
            sources = sources.order_by("-feed__failures", "name", "pk")
    return sources


def _what_goes(ids: list[int]) -> dict[str, Any]:
    posts = Post.objects.filter(source__in=ids)
    return {
        "posts": posts.count(),
        "unread": posts.filter(is_read=False).count(),
        "mutes": Mute.objects.filter(source__in=ids).count(),
    }


def _change(source: Source, form: SourceForm) -> bool:
    """False: the form says why not. A new address of the feed is proved first, as that takes the network."""
    values = {name: form.cleaned_data[name] for name in form.changed_data if name not in ("category", "new_category")}
    try:
        if values.get("feed_url", source.feed.url) != source.feed.url:
            if not may_ask(source.user, "look"):
                form.add_error("feed_url", TOO_MANY)
                return False
            values["feed_url"] = _proved(source, values["feed_url"])
        with transaction.atomic():
            change_source(source, values | {"category": form.chosen_category()})
    except AlreadySubscribed as error:
        form.add_error("feed_url", f"You have a source with this feed already: “{error.name}”.")
        return False
    except FeedsError as error:
        form.add_error("feed_url", error.user_message)
        return False
    return True


def _proved(source: Source, url: str) -> str:
    """The address where the feed really is. Raises as ``prove_feed`` does."""
    with turn_of(source.user_id), open_gate() as gate:
        found = subscribing.prove_feed(gate, url, now_utc())
    holder = Source.objects.filter(user=source.user_id, feed__url=found.url).exclude(pk=source.pk).first()
    if holder is not None:
        raise AlreadySubscribed(holder.name)
    return found.url


def _outcome(row: SourceRow, job_id: str) -> str:
    """What came of the refresh that was waited for, if the state of the feed does not say it."""
    if row.job is not None or not (job_id.isascii() and job_id.isdigit() and len(job_id) <= 18):
        return ""
    job = Job.objects.filter(pk=int(job_id), exclusive_key=refresh.feed_key(row.source.feed_id)).first()
    if job is None:
        return ""
    if job.status != Job.Status.COMPLETE:
        return job.error or "The refresh was cancelled."
    result = job.result or {}
    if result.get("success"):
        return "Asked just now."
    return "" if row.state.trouble else str(result.get("error") or "")
