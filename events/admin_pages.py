"""Parts of the admin's pages that several models share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from common.errors import MastoscoreError


@dataclass(frozen=True, slots=True)
class Button:
    """A form of its own above the page's form: it posts to ``url``."""

    url: str
    label: str
    icon: str = ""
    confirm: str = ""
    is_primary: bool = False


def form_page(
    model_admin: Any,
    request: HttpRequest,
    form: forms.Form,
    *,
    title: str,
    submit_label: str,
    back_url: str,
    save: Callable[[], str],
    intro: str = "",
) -> HttpResponse:
    """Show the form; when it is posted and valid, ``save`` it and go to the address it answers.

    A MastoscoreError from ``save`` stands above the form, a line for each of its sentences.
    """
    if request.method == "POST" and form.is_valid():
        try:
            return HttpResponseRedirect(save())
        except MastoscoreError as error:
            form.add_error(None, error.user_message.splitlines())
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": title,
        "intro": intro,
        "form": form,
        "media": model_admin.media + form.media,
        "submit_label": submit_label,
        "back_url": back_url,
    }
    return TemplateResponse(request, "admin/events/form_page.html", context)


def show_error(request: HttpRequest, error: MastoscoreError) -> None:
    for sentence in error.user_message.splitlines():
        messages.error(request, sentence)
