"""The crews of one coordinator: threads here, outposts once there is much to do, and what each may and did spend."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from common.http import Gate
from pipeline.crawl.crews import Crew, News, Orders, ThreadCrew
from pipeline.crawl.messages import Tally
from pipeline.crawl.outpost import Outpost, OutpostNews

logger = logging.getLogger(__name__)

# Servers that wait for their walk before it pays to open outposts.
FEW = 4
# All walks wait for the worker that stores, so that one goes first, and whatever else this machine serves; then those
# servers that may lead on to further ones.
_NICE_TO_STORING, _NICE_TO_ALL = 5, 10
# Of the walks that outposts may have, the share of the one for servers found on the way.
_SHARE_ON_THE_WAY = 0.25
# So long an outpost may take to be ready before the work begins without it.
_OUTPOST_SECONDS = 5.0
# So many requests before a limit of the crawl, crews are told at once what the others spend.
_NEAR_REQUESTS = 2000
_NEAR_SHARE = 0.9


@dataclass(slots=True, eq=False)
class Team:
    """A crew, how many walks it may have and has, and what its reports say it has spent."""

    crew: Crew
    most: int
    walks: int = 0
    requests: int = 0
    received_bytes: int = 0

    @property
    def room(self) -> int:
        return max(0, self.most - self.walks)


class Teams:
    """``outposts``: how many processes may be opened. ``tell`` hears of everything, from whatever thread."""

    def __init__(
        self,
        orders: Orders,
        gate: Gate,
        tell: Callable[[News | OutpostNews], None],
        *,
        home_token: str,
        outposts: int,
    ) -> None:
        self._orders = orders
        self._policy = gate.policy
        self._tell = tell
        self._most_outposts = outposts if outposts < orders.threads else 0
        self._outposts: dict[Outpost, Team] = {}
        self._due_at = 0.0
        self._others_spent = (0, 0)
        self.here = Team(ThreadCrew(orders, gate, tell, home_token=home_token), orders.threads)

    @property
    def wants_outposts(self) -> bool:
        return self._most_outposts > 0

    @property
    def all(self) -> list[Team]:
        return [self.here, *self._outposts.values()]

    def list_ready(self) -> list[Team]:
        """Those who take walks: outposts where there are some, so that this process can store in peace."""
        ready = [team for outpost, team in self._outposts.items() if outpost.is_ready]
        if len(ready) < len(self._outposts) and time.monotonic() < self._due_at:
            return []  # so that servers go where they should
        return ready or [self.here]

    def open_outposts(self) -> None:
        """Once; they take walks as soon as they are ready."""
        count, self._most_outposts = self._most_outposts, 0
        self._due_at = time.monotonic() + _OUTPOST_SECONDS
        shares = _share_out(self._orders.threads - 1, count)  # one for the home server, which stays here
        # Counted from somewhere else in each worker, so that several do not all crowd the same processors.
        for processor, (most, niceness) in enumerate(shares, os.getpid()):
            orders = replace(self._orders, threads=most, niceness=niceness, processor=processor)
            try:
                outpost = Outpost(orders, self._policy, self._tell)
            except OSError as error:
                logger.warning("no process for the crawl could be started: %s", error)
                return
            self._outposts[outpost] = Team(outpost, most)

    def choose(self, ready: Sequence[Team], *, is_on_the_way: bool) -> Team:
        """Who of those walks a server: the last outpost keeps room for servers that were found on the way.

        So a chain of servers, of which each names the next, does not wait for the many that were known at once.
        """
        *first, last = ready
        preferred = [last] if is_on_the_way else first
        return max((team for team in preferred if team.room), default=None, key=_room) or max(ready, key=_room)

    def close_outpost(self, outpost: Outpost) -> Team:
        """One that ended before its time; its work is for the others from now on, or else for this process."""
        outpost.close()
        return self._outposts.pop(outpost)

    def hold(self, walks: Collection[int], valid_until: float, spent: tuple[int, int]) -> None:
        """These walks go on; ``spent``: requests and bytes of the whole crawl by what is stored."""
        mine = self._count_spent()
        self._others_spent = (spent[0] - mine[0], spent[1] - mine[1])
        for team in self.all:
            team.crew.hold(walks, valid_until)
        self._share_budget()

    def note_spent(self, team: Team, tally: Tally) -> None:
        team.requests += tally.requests
        team.received_bytes += tally.received_bytes

    def watch_limits(self) -> None:
        """Near a limit of the whole crawl each crew has to know at once what the others spend."""
        caps, (requests, received_bytes) = self._orders.caps, self._count_spent()
        if not self._outposts:
            return
        if (
            self._others_spent[0] + requests > caps.crawl_requests - _NEAR_REQUESTS
            or self._others_spent[1] + received_bytes > caps.crawl_bytes * _NEAR_SHARE
        ):
            self._share_budget()

    def halt(self) -> None:
        """From any thread: nobody asks any more, and nobody waits for an answer."""
        for team in list(self.all):
            team.crew.halt()

    def disband(self) -> None:
        """Nobody asks any server any more when this returns."""
        self.halt()
        for team in self.all:
            team.crew.close()

    def _share_budget(self) -> None:
        requests, received_bytes = self._count_spent()
        for team in self.all:
            team.crew.note_elsewhere(
                self._others_spent[0] + requests - team.requests,
                self._others_spent[1] + received_bytes - team.received_bytes,
            )

    def _count_spent(self) -> tuple[int, int]:
        """By all teams here, as far as they told."""
        return sum(team.requests for team in self.all), sum(team.received_bytes for team in self.all)


def _room(team: Team) -> int:
    return team.room


def _share_out(walks: int, count: int) -> list[tuple[int, int]]:
    """Most walks and niceness of each outpost; the last one is that for servers found on the way."""
    if count == 1:
        return [(walks, _NICE_TO_STORING)]
    last = max(1, min(round(walks * _SHARE_ON_THE_WAY), walks - count + 1))
    other = (walks - last) // (count - 1)
    return [(other, _NICE_TO_ALL)] * (count - 1) + [(last, _NICE_TO_STORING)]
