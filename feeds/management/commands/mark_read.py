from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand
from common.errors import ConfigurationError
from common.times import now_utc
from feeds.errors import UnknownSource
from feeds.models import Source
from feeds.posts import PostFilter, mark_all, mark_all_but_newest
from feeds.readers import find_reader


class Command(HouseCommand):
    help = "Mark posts as read: all of them, older ones, those of a source, or all but the newest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", metavar="NAME", help="whose posts; not needed when there is one user only")
        parser.add_argument("--source", type=int, metavar="ID", help="only posts of this source")
        parser.add_argument("--older-than", type=int, metavar="DAYS", help="only posts older than so many days")
        parser.add_argument("--keep-newest", type=int, metavar="N", help="all but the newest N posts")
        parser.add_argument("--unread", action="store_true", help="mark as unread instead")

    def run(self, **options: Any) -> None:
        user, now = find_reader(options["user"]), now_utc()
        days, keep, source_id = options["older_than"], options["keep_newest"], options["source"]
        if any(number is not None and not 0 <= number <= 100_000 for number in (days, keep)):
            raise ConfigurationError("--older-than and --keep-newest take numbers from 0 to 100000.")
        if keep is not None:
            if source_id is not None or days is not None or options["unread"]:
                raise ConfigurationError("--keep-newest stands alone.")
            count = mark_all_but_newest(user, keep, now)
        else:
            if source_id is not None and not Source.objects.filter(user=user, pk=source_id).exists():
                raise UnknownSource(source_id)
            before = None if days is None else now - timedelta(days=days)
            count = mark_all(user, PostFilter(source_id, before=before), not options["unread"], now)
        self.stdout.write(f"{count} posts marked as {'unread' if options['unread'] else 'read'}.")
