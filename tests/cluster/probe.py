"""A process that asks for jobs and looks at them, in the database of a house: a line of JSON in, a line out."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

import django


def answer(asked: dict[str, Any]) -> Any:
    from django.contrib.auth.models import User
    from django_q.models import Schedule

    from common.api.access import Scope
    from common.times import parse_moment
    from events.models import Event, MastodonAccount
    from feeds.models import Post
    from jobs import services
    from jobs.models import Beat, Job
    from mastoscore_site.tokens import make_token
    from pipeline.models import Visit

    match asked["do"]:
        case "enqueue":
            event = Event.objects.get(slug=asked["slug"]) if "slug" in asked else None
            return services.enqueue(asked["kind"], event=event).pk
        case "make_event":
            account, _ = MastodonAccount.objects.get_or_create(server=asked["home"])
            start = parse_moment(asked["start"])
            values = {"hashtag": asked["hashtag"], "start": start, "duration": timedelta(minutes=90)}
            return Event.objects.create(slug=asked["slug"], home_account=account, event_title="Film", **values).pk
        case "make_reader":
            user = User.objects.create_user(asked["name"])
            return make_token(user, "test", [Scope(scope) for scope in asked["scopes"].split(",")])[1]
        case "reader_posts":
            return Post.objects.count()
        case "toots":
            toots = Event.objects.get(slug=asked["slug"]).toots.prefetch_related("sightings__visit")
            return {
                toot.uri: [
                    toot.favourites,
                    toot.is_authoritative,
                    sorted({sighting.visit.server for sighting in toot.sightings.all()}),
                ]
                for toot in toots
            }
        case "visits":
            visits = Visit.objects.filter(crawl__event__slug=asked["slug"])
            return {visit.server: [visit.outcome, visit.toots] for visit in visits}
        case "jobs":
            rows = Job.objects.filter(kind=asked["kind"]).order_by("pk")
            return list(rows.values("id", "status", "attempts", "result", "error"))
        case "cancel":
            services.request_cancel(asked["id"])
            return True
        case "job":
            row = Job.objects.filter(pk=asked["id"]).values(
                "status", "attempts", "fence", "worker", "result", "progress"
            )
            return row.get()
        case "beats":
            return Beat.objects.filter(name="worker").count()
        case "schedules":
            return Schedule.objects.filter(name="recovery of jobs").count()
    raise ValueError(asked)


def main() -> None:
    django.setup()
    from django.db import connection

    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
        connection.close()


if __name__ == "__main__":
    main()
