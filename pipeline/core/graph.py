"""Toots per minute as a picture of 1200 by 675 pixels, light, dark and SVG, with its alternative text. Pure.

Text of hosts is never read as mathematics, and everything in the picture depends on its input only.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from pipeline.core.fonts import drawable, matplotlib_families
from pipeline.core.graph_scale import TimeScale, bin_counts, choose_bin_minutes, choose_ticks, describe_bin, nice_top
from pipeline.core.graph_text import fit_line, fit_title, spread
from pipeline.core.series import MinuteSeries
from pipeline.core.wording import clock, count_of, long_date, name_hashtags, zone_label

WIDTH_PX, HEIGHT_PX, _DPI = 1200, 675, 100
# All in fractions of the figure, from its lower left corner.
_EDGE, _LEFT, _RIGHT, _BOTTOM, _BOTTOM_DATED = 0.03, 0.065, 0.965, 0.13, 0.165
_TITLE_TOP, _LABEL_BAND = 0.965, 0.165
_LABEL_LENGTH_PX = 230
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one look. The three phases differ in lightness as well as in hue."""

    background: str
    text: str
    faint_text: str
    grid: str
    before: str
    during: str
    after: str
    before_text: str
    during_text: str
    after_text: str


LIGHT = Theme(
    background="#ffffff",
    text="#1b1f2a",
    faint_text="#5a6072",
    grid="#e4e6ec",
    before="#8fb3c9",
    during="#5046c8",
    after="#e39a3b",
    before_text="#2f6480",
    during_text="#5046c8",
    after_text="#96590a",
)
DARK = Theme(
    background="#14161f",
    text="#f1f2f7",
    faint_text="#a9afc2",
    grid="#2a2e3d",
    before="#5f8ba6",
    during="#8d83ff",
    after="#e0a04a",
    before_text="#8fbbd6",
    during_text="#aaa2ff",
    after_text="#efb566",
)


@dataclass(frozen=True, slots=True)
class GraphData:
    """What is drawn: ``before``, ``during`` and ``after`` are the toots of each phase by exact time."""

    title: str
    hashtag: str
    zone: ZoneInfo
    start: datetime
    end: datetime
    start_label: str
    end_label: str
    series: MinuteSeries
    before: int
    during: int
    after: int
    authors: int
    servers: int
    more_hashtags: tuple[str, ...] = ()

    @property
    def toots(self) -> int:
        return self.before + self.during + self.after

    @property
    def day(self) -> date:
        return self.start.astimezone(self.zone).date()


def draw_png(data: GraphData, theme: Theme = LIGHT) -> bytes:
    buffer = io.BytesIO()
    draw_figure(data, theme).savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def draw_svg(data: GraphData, theme: Theme = LIGHT) -> bytes:
    """Letters are drawn as outlines: the picture needs no font where it is shown."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "mastoscore", "svg.fonttype": "path"}):
        draw_figure(data, theme).savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def draw_figure(data: GraphData, theme: Theme) -> Figure:
    with matplotlib.rc_context({"font.family": list(matplotlib_families()), "axes.unicode_minus": False}):
        figure = Figure(figsize=(WIDTH_PX / _DPI, HEIGHT_PX / _DPI), dpi=_DPI, facecolor=theme.background)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((_LEFT, _BOTTOM, _RIGHT - _LEFT, 0.5), facecolor=theme.background)
        _Picture(data, theme, figure, axes).draw()
    return figure


class _Picture:
    """One figure being drawn; the x axis counts minutes from the start of the series."""

    def __init__(self, data: GraphData, theme: Theme, figure: Figure, axes: Axes) -> None:
        self._data, self._theme, self._figure, self._axes = data, theme, figure, axes
        series = data.series
        self._bin = choose_bin_minutes(len(series.counts))
        self._bins = bin_counts(series.counts, self._bin, series.event_start)
        self._scale = TimeScale(series.start, data.zone)
        self._ticks = choose_ticks(self._scale, len(series.counts))

    def draw(self) -> None:
        self._place_axes(self._draw_heading())
        self._draw_axes()
        self._draw_phases()
        self._draw_phase_labels()
        self._draw_event_lines()
        if self._data.toots:
            self._draw_peak()
        else:
            self._put_in_axes(0.5, 0.5, "No toots were found", size=22, color=self._theme.faint_text, ha="center")

    def _draw_heading(self) -> float:
        """Title and subtitle; returns where the subtitle ends, as a fraction of the height."""
        data, max_px = self._data, WIDTH_PX * (1 - 2 * _EDGE)
        title = fit_title(self._figure, drawable(data.title) or f"#{data.hashtag}", max_px=max_px)
        put_title = self._put(
            _EDGE, _TITLE_TOP, title.text, size=title.size, weight="bold", va="top", linespacing=0.95
        )
        hashtags = drawable(" ".join(f"#{hashtag}" for hashtag in (data.hashtag, *data.more_hashtags)))
        words = f"{hashtags} · {long_date(data.day)} · {count_of(data.toots, 'toot')}"
        if data.toots:
            words += f" by {count_of(data.authors, 'author')} on {count_of(data.servers, 'server')}"
        words = fit_line(self._figure, words, size=15, max_px=max_px)
        below = put_title.get_window_extent().y0 / HEIGHT_PX - 0.012
        put_words = self._put(_EDGE, below, words, size=15, color=self._theme.faint_text, va="top")
        return float(put_words.get_window_extent().y0 / HEIGHT_PX)

    def _place_axes(self, top: float) -> None:
        bottom = _BOTTOM_DATED if any("\n" in tick.label for tick in self._ticks) else _BOTTOM
        self._axes.set_position((_LEFT, bottom, _RIGHT - _LEFT, top - _LABEL_BAND - bottom))

    def _draw_axes(self) -> None:
        axes, theme, series = self._axes, self._theme, self._data.series
        axes.set_xlim(0, max(len(series.counts), 1))
        top = nice_top(max(count for _, _, count in self._bins) if self._bins else 0)
        axes.set_ylim(0, top.limit)
        axes.set_yticks(top.ticks, [f"{tick:,}" for tick in top.ticks], va="center_baseline")
        axes.set_xticks([tick.minute for tick in self._ticks], [tick.label for tick in self._ticks])
        axes.tick_params(length=0, labelsize=13.5, colors=theme.faint_text, pad=7)
        axes.grid(axis="y", color=theme.grid, linewidth=1)
        axes.set_axisbelow(True)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(theme.faint_text)
        axes.spines["bottom"].set_linewidth(1.2)
        unit = f"Toots per {describe_bin(self._bin)}, times in {self._zone_names()}"
        self._put(_EDGE, 0.022, unit, size=13.5, color=theme.faint_text, va="bottom")

    def _zone_names(self) -> str:
        """``CET``, or ``CET/CEST`` when the clocks change within the window."""
        series, zone = self._data.series, self._data.zone
        first, last = zone_label(series.start, zone), zone_label(series.moment(len(series.counts)), zone)
        return first if first == last else f"{first}/{last}"

    def _draw_phases(self) -> None:
        theme, series = self._theme, self._data.series
        for color, low, high in (
            (theme.before, 0, series.event_start),
            (theme.during, series.event_start, series.event_end),
            (theme.after, series.event_end, len(series.counts)),
        ):
            chosen = [(start, end, count) for start, end, count in self._bins if low <= start < high]
            if chosen:
                edges = [chosen[0][0], *(end for _, end, _ in chosen)]
                values = [count for _, _, count in chosen]
                self._axes.stairs(values, edges, fill=True, color=color, linewidth=0, zorder=2)

    def _draw_phase_labels(self) -> None:
        """``Before: 12`` and so on above the phases, moved aside where a phase is narrower than its label."""
        data, theme, series = self._data, self._theme, self._data.series
        minutes = len(series.counts)
        phases = [
            ("Before", data.before, 0, series.event_start, theme.before_text),
            ("During", data.during, series.event_start, series.event_end, theme.during_text),
            ("After", data.after, series.event_end, minutes, theme.after_text),
        ]
        shown = [phase for phase in phases if phase[3] > phase[2]]
        texts = [
            self._put_in_axes((low + high) / 2 / minutes, 1.035, f"{name}: {count:,}", color=color, weight="bold")
            for name, count, low, high, color in shown
        ]
        self._clear_behind(texts)
        self._spread(texts, gap_px=18)

    def _draw_event_lines(self) -> None:
        """Start and end, with the host's words for them and the time on the clock, above the phase labels."""
        data, series = self._data, self._data.series
        minutes = len(series.counts)
        texts = []
        for label, moment in ((data.start_label, data.start), (data.end_label, data.end)):
            x = (moment - series.start).total_seconds() / 60
            self._axes.plot(
                [x, x],
                [0, 1.10],
                transform=self._axes.get_xaxis_transform(),
                color=self._theme.text,
                linewidth=1.4,
                linestyle=(0, (4, 3)),
                clip_on=False,
                zorder=3,
            )
            words = fit_line(self._figure, drawable(label), size=14, max_px=_LABEL_LENGTH_PX)
            words = f"{words} {clock(moment, data.zone)}".strip()
            texts.append(self._put_in_axes(x / minutes, 1.13, words, color=self._theme.text))
        self._spread(texts, gap_px=24)

    def _draw_peak(self) -> None:
        start, end, count = max(self._bins, key=lambda item: (item[2], -item[0]))
        middle, minutes = (start + end) / 2, len(self._data.series.counts)
        top = self._axes.get_ylim()[1]
        moment = self._scale.describe(start, len(self._data.series.counts))
        period = "Busiest minute" if self._bin == 1 else f"Busiest {describe_bin(self._bin)}"
        words = f"{period}: {moment}, {count_of(count, 'toot')}"
        self._axes.plot(
            [middle],
            [count],
            marker="o",
            markersize=7,
            color=self._theme.text,
            markeredgewidth=0,
            zorder=5,
            clip_on=False,
        )
        text = self._put_in_axes(middle / minutes, count / top + 0.035, words, color=self._theme.text, weight="bold")
        self._clear_behind([text])
        self._spread([text], gap_px=0)

    def _clear_behind(self, texts: list[Text]) -> None:
        """No line runs through these words."""
        for text in texts:
            text.set_bbox({"facecolor": self._theme.background, "edgecolor": "none", "pad": 2.5})
            text.set_zorder(6)

    def _spread(self, texts: list[Text], *, gap_px: float) -> None:
        """Move centred texts sideways so that they overlap neither each other nor the edges of the axes."""
        box = self._axes.get_window_extent()
        widths = [text.get_window_extent().width for text in texts]
        wanted = [box.x0 + text.get_position()[0] * box.width for text in texts]
        for text, centre in zip(texts, spread(wanted, widths, box.x0, box.x1, gap_px), strict=True):
            text.set_x((centre - box.x0) / box.width)

    def _put(self, x: float, y: float, words: str, *, color: str | None = None, **style: Any) -> Text:
        return self._figure.text(x, y, words, color=color or self._theme.text, parse_math=False, **style)

    def _put_in_axes(self, x: float, y: float, words: str, *, color: str, size: float = 14, **style: Any) -> Text:
        options = {"ha": "center", "va": "bottom", **style}
        return self._axes.text(
            x, y, words, size=size, color=color, transform=self._axes.transAxes, parse_math=False, **options
        )


def describe_graph(data: GraphData) -> str:
    """The alternative text: what somebody who does not see the picture wants to know of it."""
    scale = TimeScale(data.series.start, data.zone)
    names = name_hashtags((data.hashtag, *data.more_hashtags))
    hashtags = f"{'hashtags' if data.more_hashtags else 'hashtag'} {names}"
    counts, during, minutes = data.series.counts, data.series.during, round((data.end - data.start) / _MINUTE)
    sentences = [
        f"Graph of toots per minute with the {hashtags} on {long_date(data.day)}.",
        f"The event lasted {count_of(minutes, 'minute')}, {_describe_times(data)}.",
    ]
    if not data.toots:
        return " ".join([*sentences, "No toots were found."])
    sentences.append(
        f"{count_of(data.during, 'toot')} came during the event, {data.before:,} before and {data.after:,} after it."
    )
    if data.during:
        busiest = data.series.event_start + during.index(max(during))
        sentences.append(
            f"The busiest minute of the event was {scale.describe(busiest, len(counts))} with "
            f"{count_of(max(during), 'toot')}, the quietest minute had {min(during):,}; "
            f"the mean was {data.during / max(minutes, 1):,.1f} per minute."
        )
    overall = data.series.busiest
    if overall is not None and counts[overall] > max(during, default=0):
        when = "before" if overall < data.series.event_start else "after"
        count, moment = count_of(counts[overall], "toot"), scale.describe(overall, len(counts))
        sentences.append(f"The busiest minute of all came {when} the event: {moment} with {count}.")
    return " ".join(sentences)


def _describe_times(data: GraphData) -> str:
    """``from 21:00 to 22:30 EST``, with the date of the end and both zones where they differ."""
    start, end = data.start.astimezone(data.zone), data.end.astimezone(data.zone)
    first, last = zone_label(start, data.zone), zone_label(end, data.zone)
    opening = f"from {start:%H:%M}" if first == last else f"from {start:%H:%M} {first}"
    until = f"{end:%H:%M} {last}"
    return (
        f"{opening} to {until}" if start.date() == end.date() else f"{opening} to {until} on {long_date(end.date())}"
    )
