"""Texts that anybody may write see their values and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.sandbox import MAX_CHARS, BadTemplate, compile_text, fill_in

VALUES = {"name": "Ada", "count": 1204, "link": "", "is_sole": True}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello {{ name }}", "Hello Ada"),
        ("{{ count|thousands }} toot{{ count|pluralize }}", "1,204 toots"),
        ("{{ count }}", "1204"),
        ("{% if is_sole %}first{% else %}one of{% endif %}", "first"),
        ("{% if count > 1000 and not link %}many{% endif %}", "many"),
        ("{{ link|default:name }}", "Ada"),
        ("{% firstof link name %}", "Ada"),
        ("{# nothing #}{% comment %}{{ nonsense }}{% endcomment %}", ""),
        ("{{ name|upper|truncatechars:2 }}", "A…"),
        ("<b>&amp; {{ name }}", "<b>&amp; Ada"),
    ],
)
def test_texts_are_filled_in(source: str, expected: str) -> None:
    assert fill_in(source, VALUES) == expected


def test_values_are_not_templates_and_not_escaped() -> None:
    assert fill_in("{{ name }}", {"name": "{{ secret }} <&>"}) == "{{ secret }} <&>"


@pytest.mark.parametrize(
    "source",
    [
        "{{ nobody }}",
        "{{ name.upper }}",
        "{{ name.__class__ }}",
        "{{ name.0 }}",
        "{{ settings.SECRET_KEY }}",
        "{{ name|default:settings.SECRET_KEY }}",
        "{{ name|default:nobody }}",
        "{% if nobody %}x{% endif %}",
        "{% if name.upper %}x{% endif %}",
        "{% firstof name.upper %}",
        "{% include 'admin/base.html' %}",
        "{% extends 'base.html' %}",
        "{% load static %}",
        "{% debug %}",
        "{% url 'admin:index' %}",
        "{% csrf_token %}",
        "{% for a in name %}{{ a }}{% endfor %}",
        "{% with a=name %}{{ a }}{% endwith %}",
        "{% now 'Y' %}",
        "{% autoescape off %}{% endautoescape %}",
        "{{ name|ljust:'99999999' }}",
        "{{ name|pprint }}",
        "{{ count|filesizeformat }}",
        "{{ block.super }}",
        "{{ forloop.counter }}",
        "{% if is_sole %}",
        "{{ name",
        "{% endif %}",
        "{{ name|nonsense }}",
        "{{ _name }}",
        "{{ name }}" * 201,
    ],
)
def test_everything_else_is_refused_with_a_sentence(source: str) -> None:
    if source == "{{ name":  # Django takes an open brace for text
        assert fill_in(source, VALUES) == source
        return
    with pytest.raises(BadTemplate) as caught:
        fill_in(source, VALUES)
    sentence = caught.value.user_message
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "0x" not in sentence


def test_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(BadTemplate, match="no value called “nobody”; there are: count, name"):
        compile_text("{{ nobody }}", ["name", "count"])


def test_what_comes_out_is_bounded() -> None:
    assert len(fill_in("{{ name }}" * 100, {"name": "x" * 10_000})) == MAX_CHARS


@given(st.text(max_size=200))
def test_any_text_is_filled_in_or_refused(source: str) -> None:
    try:
        fill_in(source, VALUES)
    except BadTemplate as error:
        assert error.user_message
