"""Texts of an event's toots -> word cloud (light, dark) with its alternative text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.files import write_bytes, write_text
from common.text import words_text
from events.models import Event
from pipeline import paths
from pipeline.artifacts import remember_file
from pipeline.core.cloud_layout import DARK, LIGHT, paint
from pipeline.core.word_counts import CountedWord, WordCounter
from pipeline.core.wordcloud import ChosenFonts, CloudOptions, choose_fonts, describe_cloud, place_words
from pipeline.phases.analyse import require_fetch, watched_toots

if TYPE_CHECKING:
    from jobs.context import JobContext


def run(ctx: JobContext) -> dict[str, Any]:
    event = ctx.event
    require_fetch(event)
    chosen = choose_fonts(event.wordcloud_font)
    options = read_options(event, chosen)
    words = count_words(ctx)
    placed = place_words(words, options)
    alt_text = describe_cloud(words, options)
    parameters = {
        "hashtag_fix": options.hashtag_fix,
        "stop_words": options.stop_words,
        "fonts": [font.name for font in chosen.fonts],
        "width": options.width,
        "height": options.height,
    }
    files = []
    for kind, variant, palette in (("wordcloud", "", LIGHT), ("wordcloud-dark", "dark", DARK)):
        ctx.check_cancelled()
        written = write_bytes(paths.wordcloud(event, variant), paint(placed, options.canvas, palette))
        remember_file(event, kind, written, description=alt_text, parameters=parameters)
        files.append(paths.below_data(written.path))
    text = write_text(paths.wordcloud(event, suffix="txt"), f"{alt_text}\n")
    remember_file(event, "wordcloud-text", text)
    if chosen.note:
        ctx.say(chosen.note)
    ctx.say(f"Drew {len(placed):,} of {len(words):,} different words.")
    return {
        "different_words": len(words),
        "words_drawn": len(placed),
        "alt_text": alt_text,
        "font_note": chosen.note,
        "files": [*files, paths.below_data(text.path)],
    }


def read_options(event: Event, chosen: ChosenFonts) -> CloudOptions:
    return CloudOptions(
        hashtag=event.hashtag,
        day=event.local_date,
        title=event.wordcloud_title,
        hashtag_fix=event.hashtag_fix,
        stop_words=event.stop_words,
        width=event.wordcloud_width,
        height=event.wordcloud_height,
        fonts=chosen.fonts,
        more_hashtags=event.hashtags[1:],
    )


def count_words(ctx: JobContext) -> list[CountedWord]:
    """Words of the authors who may be quoted; bots are left out where the event leaves them out."""
    event = ctx.event
    counter = WordCounter(event.hashtag, event.stop_words, more_hashtags=event.hashtags[1:])
    for toot in watched_toots(ctx):
        if toot.is_quotable and not toot.is_withdrawn and not (toot.is_bot and event.leave_out_bots):
            counter.add(words_text(toot.html), toot.language)
    return counter.words()
