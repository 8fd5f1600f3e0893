"""The whole OpenAPI document asked for real: what it allows, what it forbids, what it does not know.

Every operation is called by schemathesis with examples made from its schema, all of its checks on: no 500, no status,
type, header or body outside of the document, nothing accepted that the document forbids, nothing without a token.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from events.models import Event, MastodonAccount, OptOut, Series
from jobs.models import Job
from mastoscore_site.wsgi import application
from pipeline.models import Thread
from pipeline.tests.scored_event import make_scored
from tests.remote.tmdb import Tmdb

SLUG = "monsterdon-20260222"
EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 2}
# Some of what a document allows cannot be used all the same (a time zone that is none, a taken slug), or is not there
# yet; that is told with these, and never with a server error.
ACCEPTED = ["2xx", "304", "400", "401", "403", "404", "409", "413", "422"]
CONFIG = {"checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(settings: Any, fresh_allowances: None) -> Iterator[None]:
    settings.API_RATES = dict.fromkeys(settings.API_RATES, 10**9)
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    with Tmdb() as tmdb:
        tmdb.use(settings)
        yield


def renew(make_event: Any) -> dict[str, Any]:
    """Something of everything, whatever the calls before did to it; values for paths and queries."""
    Job.objects.all().delete()
    event = Event.objects.filter(slug=SLUG).first()
    if event is None or not event.thread.exists() or not event.toots.exists():
        Event.objects.all().delete()
        event = make_scored(make_event(), toots=3)
    Thread.objects.filter(event=event).update(state=Thread.State.DRAFT)
    Series.objects.get_or_create(slug=SLUG, defaults={"title": "Monsterdon", "hashtag": "monsterdon"})
    optout, _ = OptOut.objects.get_or_create(target="gone.example")
    account, _ = MastodonAccount.objects.get_or_create(server="home.example")
    job = Job.objects.create(kind="analyse", event=event, status=Job.Status.COMPLETE)
    toot = event.thread.earliest("pk")
    ids = {"jobs": job.pk, "accounts": account.pk, "optouts": optout.pk}
    return {"slug": SLUG, "name": SLUG, "toot": toot.pk, "job_id": str(job.pk), "ids": ids}


def known_path(path: str, known: dict[str, Any]) -> dict[str, Any]:
    """Values of the path that lead to something."""
    values = {name: known[name] for name in ("slug", "name", "toot", "job_id") if f"{{{name}}}" in path}
    kind = path.removeprefix("/api/v1/").partition("/")[0]
    if "{id}" in path and kind in known["ids"]:
        values["id"] = known["ids"][kind]
    if "/artifacts/" in path:
        values["name"] = "index.md"
    return values


def call_as_told(operation: Any, mode: GenerationMode, headers: dict[str, str], given_values: dict[str, Any]) -> None:
    """A few calls; FailureGroup on the first that leaves the document."""
    is_positive = mode == GenerationMode.POSITIVE
    options: dict[str, Any] = {"path_parameters": given_values} if is_positive and given_values else {}

    @seed(5)
    @settings(
        max_examples=EXAMPLES[mode],
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(case=operation.as_strategy(generation_mode=mode, **options))
    def ask(case: Any) -> None:
        if is_positive:
            for values in (case.query, case.body):
                if isinstance(values, dict) and "config_file" in values:
                    values["config_file"] = SLUG
        case.call_and_validate(headers=headers)

    ask()


def test_no_answer_is_outside_of_the_document(root: Any, make_event: Any, site: None) -> None:
    headers = {"Authorization": root._credentials["HTTP_AUTHORIZATION"]}
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_wsgi("/api/schema", application, config=config)
    problems: list[str] = []
    asked = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        for mode in GenerationMode:
            known = renew(make_event)
            try:
                call_as_told(operation, mode, headers, known_path(operation.path, known))
            except FailureGroup as failures:
                problems += [f"{operation.label} ({mode.value}): {failure}" for failure in failures.exceptions]
            asked += 1
    assert asked > 150
    assert problems == [], "\n\n".join(problems)
