from __future__ import annotations

from typing import Any

import orjson
from django.core.management.base import CommandParser

from common.commands import DONE, FAILED
from feeds.errors import UnknownSource
from feeds.management.job_command import JobCommand
from feeds.models import Source
from feeds.refresh import JOB_KEY, drop_waiting, feed_key


class Command(JobCommand):
    help = "Ask feeds for news: those that are due, all of them, or that of one source."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--source", type=int, metavar="ID", help="only the feed of this source, due or not")
        which.add_argument("--all", action="store_true", help="every feed that somebody reads, due or not")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def run(self, **options: Any) -> int:
        result, code = self._refresh(options)
        if code:
            return code
        if options["json"]:
            self.stdout.write(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
        else:
            self._show(result)
        return FAILED if result.get("failed") or result.get("error") else DONE

    def _refresh(self, options: dict[str, Any]) -> tuple[dict[str, Any], int]:
        if options["source"] is None:
            params = {"all": True} if options["all"] else {}
            if options["all"]:
                drop_waiting()
            return self.run_job("refresh_feeds", params=params, exclusive_key=JOB_KEY)
        source = Source.objects.filter(pk=options["source"]).first()
        if source is None:
            raise UnknownSource(options["source"])
        return self.run_job(
            "refresh_feed",
            subject=source.name[:300],
            params={"feed_id": source.feed_id},
            exclusive_key=feed_key(source.feed_id),
        )

    def _show(self, result: dict[str, Any]) -> None:
        if result.get("error"):
            self.stderr.write(str(result["error"]))
        if "total" in result:
            self.stdout.write(
                "{total} feeds: {changed} changed, {unchanged} unchanged, {failed} failed, {gone} gone, "
                "{skipped} left for later; {new_posts} new posts.".format(**result)
            )
