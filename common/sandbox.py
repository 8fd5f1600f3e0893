"""Texts with Django's template syntax that anybody may write: they see the values they are given and nothing else.

No loops, no includes, no loading, no attributes and no calls: a value is a plain text or number under a plain name.
So a text can neither look around nor run away, and what it makes is at most a few times as long as what it was given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from django.template import Context, Engine, Library, Origin, Template, TemplateSyntaxError
from django.template import defaultfilters as filters
from django.template import defaulttags as tags
from django.template.base import FilterExpression, Lexer, NodeList, Parser, Variable

from common.errors import ConfigurationError

MAX_CHARS = 20_000
_MAX_PARTS = 200
_UNWANTED = re.compile("[\x00\ud800-\udfff]")
_CONSTANTS = frozenset({"True", "False", "None"})
_FILTERS = (
    "capfirst",
    "default",
    "length",
    "lower",
    "pluralize",
    "title",
    "truncatechars",
    "truncatewords",
    "upper",
    "wordcount",
    "yesno",
)

register = Library()
register.tag("if", tags.do_if)
register.tag("comment", tags.comment)
register.tag("firstof", tags.firstof)
for _name in _FILTERS:
    register.filter(_name, getattr(filters, _name))


@register.filter
def thousands(value: Any) -> str:
    """``1234`` as ``1,234``."""
    return f"{value:,}" if isinstance(value, int) else str(value)


class BadTemplate(ConfigurationError):
    """A text that cannot be used; the message says what is wrong with it."""


class _QuietEngine(Engine):
    default_builtins = ["common.sandbox"]


class _Parser(Parser):
    """Lets only names through that were promised, each a single word."""

    names: Collection[str] = ()

    def compile_filter(self, token: str) -> FilterExpression:
        expression = super().compile_filter(token)
        arguments = [part for _, given in expression.filters for is_variable, part in given if is_variable]
        for part in [expression.var, *arguments]:
            if isinstance(part, Variable):
                self._check(part.lookups or ())
        return expression

    def _check(self, lookups: tuple[str, ...]) -> None:
        if not lookups or (len(lookups) == 1 and (lookups[0] in self.names or lookups[0] in _CONSTANTS)):
            return
        name, known = ".".join(lookups)[:80], ", ".join(sorted(self.names))
        raise TemplateSyntaxError(f"There is no value called “{name}”; there are: {known}.")


class _Text(Template):
    def __init__(self, source: str, names: Collection[str]) -> None:
        self._names = names
        super().__init__(source, origin=Origin("text"), engine=_ENGINE)

    def compile_nodelist(self) -> NodeList:
        tokens = Lexer(self.source).tokenize()
        if len(tokens) > _MAX_PARTS:
            raise TemplateSyntaxError(f"The text has more than {_MAX_PARTS} parts.")
        parser = _Parser(tokens, {}, self.engine.template_builtins, self.origin)
        parser.names = self._names
        return parser.parse()


_ENGINE = _QuietEngine(debug=False, autoescape=False)


def compile_text(source: str, names: Collection[str]) -> Template:
    """The text ready to be filled in; BadTemplate says in a sentence why it cannot be."""
    if _UNWANTED.search(source):
        raise BadTemplate("The text has characters that cannot be stored.")
    try:
        return _Text(source, names)
    except (TemplateSyntaxError, RecursionError, ValueError, TypeError, ArithmeticError) as error:
        raise BadTemplate(_sentence(error)) from None


def fill_in(source: str, values: Mapping[str, str | int | bool]) -> str:
    """The text with its values; BadTemplate if it cannot be used with them."""
    template = compile_text(source, values.keys())
    try:
        made: str = template.render(Context(dict(values), autoescape=False, use_l10n=False))
    except (TemplateSyntaxError, ValueError, TypeError, RecursionError, ArithmeticError, LookupError) as error:
        raise BadTemplate(_sentence(error)) from None
    return made[:MAX_CHARS]


def _sentence(error: Exception) -> str:
    text = re.sub(r"\s+", " ", str(error))[:300] if isinstance(error, TemplateSyntaxError) else ""
    text = text.replace(". Did you forget to register or load this tag?", ": this tag cannot be used here.")
    return text if text.endswith(".") else f"{text or 'This text cannot be filled in'}."
