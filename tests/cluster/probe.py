"""A process that asks for jobs and looks at them, in the database of a house: a line of JSON in, a line out."""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def answer(asked: dict[str, Any]) -> Any:
    from django_q.models import Schedule

    from jobs import services
    from jobs.models import Beat, Job

    match asked["do"]:
        case "enqueue":
            return services.enqueue(asked["kind"]).pk
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
