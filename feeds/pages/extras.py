"""What can be done with a post: shorten it, explain a quote in it, copy it, fetch its page, keep it for later."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from common.errors import MastoscoreError
from common.servers import parse_server
from common.times import now_utc
from feeds import digests
from feeds.articles import fetch_article
from feeds.markdown import post_as_markdown
from feeds.models import Article, Post, ReaderOptions, SavingService
from feeds.pages.answers import part, refuse, say
from feeds.pages.ground import find_post, reading_view, safe_next, user_of, wants_part
from feeds.pages.manage.allowances import TOO_MANY, may_ask
from feeds.pages.reading import show_post
from feeds.saving import save_for_later
from feeds.turns import turn_of

SENTENCES = 3


@reading_view
@require_POST
def summary(request: HttpRequest, post_id: int) -> HttpResponse:
    post = find_post(user_of(request), post_id)
    if not may_ask(user_of(request), "shorten"):
        return _failed(request, post, TOO_MANY)
    try:
        with turn_of(post.user_id):
            text = digests.summarise(post, SENTENCES, now_utc()).text
    except MastoscoreError as error:
        return _failed(request, post, error.user_message)
    if wants_part(request):
        return part(request, "summary", summary=text)
    return show_post(request, post, summary=text)


@reading_view
@require_POST
def quote(request: HttpRequest, post_id: int) -> HttpResponse:
    """Asked for by the script only, which finds the quotes in the text."""
    post = find_post(user_of(request), post_id)
    text = digests.normalise_quote(request.POST.get("quote", "")[: digests.MAX_QUOTE_CHARS])
    if len(text.split()) < digests.MIN_QUOTE_WORDS:
        return refuse(f"Only quotes of {digests.MIN_QUOTE_WORDS} words and more are explained.")
    if not may_ask(user_of(request), "shorten"):
        return refuse(TOO_MANY)
    try:
        with turn_of(post.user_id):
            digest, _ = digests.explain_quote(post, text, now_utc())
    except MastoscoreError as error:
        return refuse(error.user_message)
    return part(request, "explanation", explanation=digest.text)


@reading_view
@require_safe
def markdown(request: HttpRequest, post_id: int) -> HttpResponse:
    text = post_as_markdown(find_post(user_of(request), post_id))
    return HttpResponse(text + "\n", content_type="text/plain; charset=utf-8")


@reading_view
@require_POST
def full_text(request: HttpRequest, post_id: int) -> HttpResponse:
    """The article of the post's own page, instead of what the feed sent."""
    post = find_post(user_of(request), post_id)
    known = Article.objects.filter(entry=post.entry_id).exclude(content="").first()
    if known is None and not may_ask(user_of(request), "full_text"):
        return _failed(request, post, TOO_MANY)
    try:
        with turn_of(post.user_id):
            article = known or fetch_article(post)
    except MastoscoreError as error:
        return _failed(request, post, error.user_message)
    if not article.content:
        return _failed(request, post, article.last_error or "The page could not be read.")
    if wants_part(request):
        return HttpResponse(article.content)
    return show_post(request, post, content=article.content)


@reading_view
@require_POST
def save(request: HttpRequest, post_id: int) -> HttpResponse:
    """With the service that the button named, or the default one."""
    post = find_post(user_of(request), post_id)
    chosen = SavingService.objects.filter(user=user_of(request), pk=_number(request.POST.get("service"))).first()
    try:
        saved = save_for_later(user_of(request), post, chosen)
    except MastoscoreError as error:
        return _failed(request, post, error.user_message)
    text = f"Saved with {saved.service.name}." if saved.saved_at else f"On its way to {saved.service.name}."
    if wants_part(request):
        return say(HttpResponse(), text)
    messages.success(request, text)
    return redirect("reader-post", post.pk)


@reading_view
@require_POST
def options(request: HttpRequest) -> HttpResponse:
    """The server that the key ``t`` asks; everything else that can be chosen is among the settings."""
    text = request.POST.get("search_server", "").strip()
    try:
        server = parse_server(text) if text else ""
    except MastoscoreError as error:
        messages.warning(request, error.user_message)
    else:
        ReaderOptions.objects.update_or_create(user=user_of(request), defaults={"search_server": server})
        messages.success(request, f"The key t now searches {server or 'Twitter'}.")
    return redirect(safe_next(request))


def _failed(request: HttpRequest, post: Post, sentence: str) -> HttpResponse:
    if wants_part(request):
        return refuse(sentence)
    messages.warning(request, sentence)
    return redirect("reader-post", post.pk)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else 0
