"""The analysis -> pictures of toots per minute (light, dark, SVG) with their alternative text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.files import write_bytes, write_text
from common.times import zone
from events.models import Event
from pipeline import paths
from pipeline.artifacts import remember_file
from pipeline.core.graph import DARK, GraphData, describe_graph, draw_png, draw_svg
from pipeline.core.series import MinuteSeries
from pipeline.phases.analyse import load_current_analysis

if TYPE_CHECKING:
    from jobs.context import JobContext


def run(ctx: JobContext) -> dict[str, Any]:
    event = ctx.event
    data = read_graph_data(event, load_current_analysis(ctx).results)
    alt_text = describe_graph(data)
    pictures = (
        ("graph", paths.graph(event), draw_png),
        ("graph-dark", paths.graph(event, "dark"), lambda data: draw_png(data, DARK)),
        ("graph-svg", paths.graph(event, suffix="svg"), draw_svg),
    )
    parameters = {"title": data.title, "start_label": data.start_label, "end_label": data.end_label}
    files = []
    for kind, path, draw in pictures:
        ctx.check_cancelled()
        remember_file(event, kind, write_bytes(path, draw(data)), description=alt_text, parameters=parameters)
        files.append(paths.below_data(path))
    text_path = paths.graph(event, suffix="txt")
    remember_file(event, "graph-text", write_text(text_path, f"{alt_text}\n"))
    ctx.say(f"Drew the graph of {data.toots:,} toots.")
    return {"toots": data.toots, "alt_text": alt_text, "files": [*files, paths.below_data(text_path)]}


def read_graph_data(event: Event, results: dict[str, Any]) -> GraphData:
    return GraphData(
        title=event.graph_title or event.title,
        hashtag=event.hashtag,
        zone=zone(event.timezone),
        start=event.start,
        end=event.end,
        start_label=event.start_label,
        end_label=event.end_label,
        series=MinuteSeries.from_dict(results["per_minute"]),
        before=results["toots_before"],
        during=results["toots_during"],
        after=results["toots_after"],
        authors=results["unique_ids"],
        servers=results["total_servers"],
        more_hashtags=event.hashtags[1:],
    )
