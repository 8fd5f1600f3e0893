"""OPML: a file shown before it is taken in, and one to take away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from common.times import now_utc
from feeds import refresh, transfer
from feeds.models import Post, Source
from feeds.opml import OpmlError
from feeds.pages.manage.coming import page_of
from feeds.pages.manage.forms import ManageForm
from feeds.pages.manage.ground import go, page, plural, show, user_of
from feeds.pages.manage.uploads import Upload, find_upload, forget_upload, keep_upload
from feeds.transfer import MERGE, REPLACE, Imported, Listed, Listing

MAX_SHOWN = 1000
MAX_NAMED = 200
_GONE = "The file is not kept here any more (it is for an hour, and one at a time). Choose it once more."


class UploadForm(ManageForm):
    opml = forms.FileField(
        label="OPML file",
        widget=forms.ClearableFileInput(attrs={"accept": ".opml,.xml,text/x-opml,application/xml,text/xml"}),
        help_text="From another reader: its “export”. At most 1 MB. You see what is in it before anything changes.",
        allow_empty_file=True,
        error_messages={"required": "Choose a file first.", "invalid": "Choose a file first."},
    )

    def clean_opml(self) -> Any:
        file = self.cleaned_data["opml"]
        if file.size > transfer.MAX_BYTES:
            raise forms.ValidationError("The file is larger than 1 MB, so it is hardly a list of feeds.")
        return file


@page("GET", "POST")
def opml(request: HttpRequest) -> HttpResponse:
    """POST shows what is in a file; nothing is changed yet."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["opml"]
        body = file.read()
        try:
            listing = transfer.read_listing(body)
        except OpmlError as error:
            form.add_error("opml", error.user_message)
        else:
            return _preview(request, keep_upload(user_of(request), str(file.name), body), listing)
    return _show_start(request, form, 422 if form.is_bound else 200)


@page("POST")
def opml_import(request: HttpRequest) -> HttpResponse:
    """Takes in the file that was shown. ``replace`` needs ``sure``: how many sources the page said would go."""
    upload = find_upload(user_of(request), request.POST.get("digest", ""))
    if upload is None:
        form = UploadForm()
        messages.error(request, _GONE)
        return _show_start(request, form, 422)
    mode = request.POST.get("mode", MERGE)
    listing = transfer.read_listing(upload.body)
    if mode not in (MERGE, REPLACE):
        return _preview(request, upload, listing, "Say whether to add or to replace.")
    if not listing.feeds:
        return _preview(request, upload, listing, "The file names no feed, so there is nothing to take in.")
    if mode == REPLACE:
        going = transfer.sources_beside(user_of(request), listing)
        if request.POST.get("sure") != str(len(going)):
            return _confirm_replace(request, upload, listing, going)
    now = now_utc()
    done = transfer.import_listing(user_of(request), listing, mode, now)
    forget_upload(user_of(request))
    if done.sources_created:
        refresh.queue_due(asked_by=user_of(request))
    return _tell(request, done, now)


@page("GET")
def opml_export(request: HttpRequest) -> HttpResponse:
    exported = transfer.export_sources(user_of(request), now_utc())
    headers = {"Content-Disposition": f'attachment; filename="{exported.filename}"'}
    return HttpResponse(exported.content, content_type="text/x-opml; charset=utf-8", headers=headers)


def _tell(request: HttpRequest, done: Imported, now: datetime) -> HttpResponse:
    parts = [f"{plural(done.sources_created, 'source')} added"]
    if done.sources_skipped:
        parts.append(f"{done.sources_skipped:,} you had already")
    if done.sources_removed:
        parts.append(f"{done.sources_removed:,} removed")
    messages.success(request, f"{', '.join(parts)}.")
    if done.sources_created:
        return go(request, page_of(since=now))
    return go(request, "reader-sources")


def _show_start(request: HttpRequest, form: UploadForm, status: int) -> HttpResponse:
    context = {"room": "opml", "form": form, "count": Source.objects.filter(user=user_of(request)).count()}
    return show(request, "opml", context, status=status)


def _preview(request: HttpRequest, upload: Upload, listing: Listing, error: str = "") -> HttpResponse:
    mine = set(Source.objects.filter(user=user_of(request)).values_list("feed__url", flat=True))
    known = sum(listed.url in mine for listed in listing.feeds)
    context = {
        "room": "opml",
        "upload": upload,
        "error": error,
        "groups": _groups(listing, mine),
        "total": len(listing.feeds),
        "known": known,
        "new": len(listing.feeds) - known,
        "beside": len(mine) - known,
        "categories": sum(1 for name in listing.by_category() if name),
        "more": max(0, len(listing.feeds) - MAX_SHOWN),
        "problems": listing.errors[:MAX_NAMED],
    }
    return show(request, "opml_preview", context, status=422 if error else 200)


def _confirm_replace(request: HttpRequest, upload: Upload, listing: Listing, going: list[Source]) -> HttpResponse:
    ids = [source.pk for source in going]
    posts = _posts_of(ids)
    context = {
        "room": "opml",
        "upload": upload,
        "total": len(listing.feeds),
        "going": [{"source": source, "posts": posts.get(source.pk, 0)} for source in going[:MAX_NAMED]],
        "count": len(going),
        "more": max(0, len(going) - MAX_NAMED),
        "posts": sum(posts.values()),
    }
    return show(request, "opml_replace", context)


def _posts_of(ids: list[int]) -> dict[int, int]:
    posts = Post.objects.filter(source__in=ids).order_by()
    return dict(posts.values_list("source").annotate(count=Count("pk")))


def _groups(listing: Listing, mine: set[str]) -> list[dict[str, Any]]:
    """What is shown of the file: folders with at most so many feeds in all."""
    groups, left = [], MAX_SHOWN
    for name, feeds in listing.by_category().items():
        shown: list[Listed] = feeds[:left]
        left -= len(shown)
        rows = [{"feed": feed, "is_known": feed.url in mine} for feed in shown]
        groups.append({"name": name, "count": len(feeds), "rows": rows, "more": len(feeds) - len(shown)})
    return groups
