"""How many toots nobody showed us: a lower bound from what was seen how often. Pure.

Servers are the samples. A toot that its own server showed was no matter of chance, so it says nothing about chance;
what hints at unseen toots are those whose own server did not show them (it refused, was down, or hides some): of
them, how many did just one server show, how many two? Chao's estimator for incidences with its bias correction turns
that into a lower bound of the whole (Chao 1987, https://doi.org/10.2307/2531532), with a log-normal interval
(Chao, Chazdon, Colwell and Shen 2005, https://doi.org/10.1111/j.1461-0248.2004.00707.x).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations


@dataclass(frozen=True, slots=True)
class Estimate:
    """``total``: at least so many toots there are, by the estimate; ``low`` and ``high`` are the ends of its 95 %
    interval, as far as chance is the only reason not to see a toot. None of them is below ``observed``."""

    observed: int
    total: float
    low: float
    high: float

    @property
    def unseen(self) -> int:
        return round(self.total - self.observed)

    @property
    def unseen_low(self) -> int:
        return math.floor(self.low - self.observed)

    @property
    def unseen_high(self) -> int:
        return math.ceil(self.high - self.observed)

    def plus(self, known: int) -> Estimate:
        """The same with toots added whose being seen is certain."""
        return Estimate(self.observed + known, self.total + known, self.low + known, self.high + known)


def estimate_total(times_seen: Mapping[int, int], samples: int) -> Estimate:
    """Chao's lower bound of the number of toots, from ``{number of samples that saw a toot: number of such toots}``
    (toots seen by none left out) and the number of samples taken."""
    seen = {times: toots for times, toots in times_seen.items() if times > 0 and toots > 0}
    observed, once, twice = sum(seen.values()), seen.get(1, 0), seen.get(2, 0)
    if not observed or samples < 1:
        return Estimate(observed, observed, observed, observed)
    factor = (samples - 1) / samples
    unseen = factor * once * (once - 1) / (2 * (twice + 1))
    if unseen <= 0:
        sightings = sum(times * toots for times, toots in seen.items())
        return _nearly_complete(observed, sightings)
    variance = _variance(factor, once, twice, observed + unseen)
    spread = math.exp(_Z * math.sqrt(math.log1p(variance / unseen**2)))
    return Estimate(observed, observed + unseen, observed + unseen / spread, observed + unseen * spread)


def _variance(factor: float, once: int, twice: int, total: float) -> float:
    """Of the bias-corrected estimator, with and without toots seen twice."""
    if twice == 0:
        variance = (
            factor * once * (once - 1) / 2
            + factor**2 * once * (2 * once - 1) ** 2 / 4
            - factor**2 * once**4 / (4 * total)
        )
    else:
        variance = (
            factor * once * (once - 1) / (2 * (twice + 1))
            + factor**2 * once * (2 * once - 1) ** 2 / (4 * (twice + 1) ** 2)
            + factor**2 * once**2 * twice * (once - 1) ** 2 / (4 * (twice + 1) ** 4)
        )
    return max(0.0, variance)


def _nearly_complete(observed: int, sightings: int) -> Estimate:
    """At most one toot was seen only once: the estimate is what was seen, its upper end from how often that was."""
    missed = math.exp(-sightings / observed)
    high = observed / (1 - missed) + _Z * math.sqrt(observed * missed * (1 - missed)) / (1 - missed)
    return Estimate(observed, observed, observed, max(float(observed), high))
