"""From an address to a source: look for feeds, choose one, watch its posts come."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from common.times import now_utc
from feeds import refresh, subscribing
from feeds.addresses import address_or_empty
from feeds.discovery import Candidate
from feeds.errors import AlreadySubscribed, FeedsError
from feeds.models import Source
from feeds.pages.manage.allowances import TOO_MANY, may_ask
from feeds.pages.manage.coming import page_of
from feeds.pages.manage.forms import AddressForm, NewSourceForm
from feeds.pages.manage.ground import go, page, show, user_of
from feeds.retrieval import open_gate
from feeds.turns import turn_of

_KINDS = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed", "rdf": "RSS 1.0", "cdf": "CDF", "xml": "XML"}


@page("GET", "POST")
def source_add(request: HttpRequest) -> HttpResponse:
    """First an address; then, with ``feed_url``, the choice among what was found there."""
    if request.method != "POST":
        typed = request.GET.get("address", "")[:1000]
        return _ask_address(request, AddressForm(initial={"address": typed}), 200)
    return _subscribe(request) if "feed_url" in request.POST else _look(request)


def _look(request: HttpRequest) -> HttpResponse:
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _ask_address(request, form, 422)
    if not may_ask(user_of(request), "look"):
        form.add_error("address", TOO_MANY)
        return _ask_address(request, form, 429)
    address = form.cleaned_data["address"]
    try:
        with turn_of(user_of(request).pk), open_gate() as gate:
            found = subscribing.find_feeds(gate, address, now_utc())
    except FeedsError as error:
        form.add_error("address", error.user_message)
        return _ask_address(request, form, 422)
    choice = NewSourceForm(user_of(request), initial={"feed_url": found.url})
    return _ask_choice(request, choice, address, offered(user_of(request), found.offers), found.site_title)


def _subscribe(request: HttpRequest) -> HttpResponse:
    form = NewSourceForm(user_of(request), request.POST)
    address = request.POST.get("address", "")[:1000]
    offers = _offers_again(request)
    if not form.is_valid():
        return _ask_choice(request, form, address, offers, status=422)
    feed_url = form.cleaned_data["feed_url"]
    known = Source.objects.filter(user=user_of(request), feed__url=feed_url).first()
    if known is not None:  # also when the button was pressed twice
        messages.info(request, f"You have this feed already: “{known.name}”.")
        return go(request, page_of(source=known))
    if not may_ask(user_of(request), "look"):
        form.add_error(None, TOO_MANY)
        return _ask_choice(request, form, address, offers, status=429)
    now = now_utc()
    try:
        values = form.cleaned_data
        wish = subscribing.Wish(feed_url, values["category"], values["name"], new_category=values["new_category"])
        source = subscribing.subscribe_to_feed(user_of(request), wish, now).source
    except AlreadySubscribed as error:
        form.add_error(None, f"You have a source with this feed already: “{error.name}”.")
        return _ask_choice(request, form, address, offers, status=422)
    except FeedsError as error:
        form.add_error(None, f"This feed cannot be taken. {error.user_message}")
        return _ask_choice(request, form, address, offers, status=422)
    if not source.feed.body_hash:
        refresh.queue_source(source, asked_by=user_of(request))
    messages.success(request, f"You now follow “{source.name}”.")
    return go(request, page_of(source=source))


def offered(user: Any, offers: tuple[Candidate, ...]) -> list[dict[str, Any]]:
    """What the page shows of each feed that was found; ``name`` is that of the source the user has of it already."""
    urls = [address_or_empty(offer.url) for offer in offers]
    mine = dict(Source.objects.filter(user=user, feed__url__in=urls).values_list("feed__url", "name"))
    return [
        {
            "url": url,
            "title": offer.title or _short(url),
            "code": offer.kind,
            "kind": kind_in_words(offer.kind),
            "mine": mine.get(url, ""),
        }
        for offer, url in zip(offers, urls, strict=True)
        if url
    ]


def kind_in_words(kind: str) -> str:
    """``rss20`` and ``rss`` are RSS; "" for what nobody knows yet."""
    return _KINDS.get(kind.rstrip("0123456789"), "")


def _short(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".rstrip("/")


def _offers_again(request: HttpRequest) -> list[dict[str, Any]]:
    """The choice as the page had it (its ``offer`` fields: kind, space, address, space, title), to be shown again."""
    offers = []
    for text in request.POST.getlist("offer")[:30]:
        kind, _, rest = text[:1500].partition(" ")
        url, _, title = rest.partition(" ")
        if address := address_or_empty(url):
            offers.append(Candidate(address, title[:300], kind, "known", 0))
    chosen = address_or_empty(request.POST.get("feed_url", ""))
    if chosen and chosen not in {offer.url for offer in offers}:
        offers.append(Candidate(chosen, "", "", "known", 0))
    return offered(user_of(request), tuple(offers))


def _ask_address(request: HttpRequest, form: AddressForm, status: int) -> HttpResponse:
    return show(request, "add_address", {"room": "sources", "form": form}, status=status)


def _ask_choice(
    request: HttpRequest,
    form: NewSourceForm,
    address: str,
    offers: list[dict[str, Any]],
    site_title: str = "",
    *,
    status: int = 200,
) -> HttpResponse:
    chosen = form["feed_url"].value() or ""
    free = [offer for offer in offers if not offer["mine"]]
    if free and chosen not in {offer["url"] for offer in free}:
        chosen = free[0]["url"]
    context = {
        "room": "sources",
        "form": form,
        "address": address,
        "offers": offers,
        "chosen": chosen,
        "is_free": bool(free),
        "site_title": site_title,
    }
    return show(request, "add_choice", context, status=status)
