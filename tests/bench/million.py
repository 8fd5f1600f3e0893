"""The core of the analysis alone, fed by a generator: says what it took, as one line of JSON.

python -m tests.bench.million 1000000
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

from common.times import Window
from pipeline.core.analyse import AnalyseOptions, analyse
from pipeline.core.rows import ScoredToot
from tests.bench.world import DURATION, HASHTAG, START

_AUTHORS = 20_000
_SERVERS = 1_000


def toots(count: int) -> Iterator[ScoredToot]:
    seconds = DURATION.total_seconds()
    for number in range(count):
        author, server = number * 7919 % _AUTHORS, number * 7919 % _AUTHORS % _SERVERS
        host = f"s{server}.example"
        yield ScoredToot(
            uri=f"https://{host}/users/guest{author}/statuses/{number}",
            url=f"https://{host}/@guest{author}/{number}",
            server=host,
            author=f"guest{author}@{host}",
            display_name=f"Guest {author}",
            author_url=f"https://{host}/@guest{author}",
            created_at=START + timedelta(seconds=number * 104_729 % 1_000_003 / 1_000_003 * seconds),
            html=f"<p>toot {number}</p>",
            text=f"toot {number}",
            spoiler_text="",
            language="en",
            boosts=number * 31 % 47,
            favourites=number * 37 % 97,
            replies=number * 41 % 13,
            media_count=number % 3,
            is_reply=number % 5 == 0,
            is_authoritative=True,
            is_bot=False,
            is_quotable=number % 50 != 0,
        )


def main() -> None:
    count = int(sys.argv[1])
    span = Window(START, START + DURATION)
    options = AnalyseOptions(
        hashtag=HASHTAG,
        title="Monsterdon",
        timezone="UTC",
        span=span,
        window=span.widened(timedelta(hours=1)),
        top_n=3,
        consent="explicit",
        leave_out_bots=False,
        generated_at=START,
    )
    begun_at, begun_cpu = time.monotonic(), time.process_time()
    results = analyse(toots(count), options).as_results()
    print(
        json.dumps(
            {
                "toots": results["total_toots"],
                "wall_seconds": time.monotonic() - begun_at,
                "cpu_seconds": time.process_time() - begun_cpu,
                "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
