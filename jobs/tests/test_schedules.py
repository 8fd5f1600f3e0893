from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.utils.module_loading import import_string
from django_q.models import Schedule

from jobs import kinds, schedules
from jobs.models import Job

pytestmark = pytest.mark.django_db


def test_schedules_are_made_once_and_their_functions_exist() -> None:
    assert schedules.ensure_schedules() > 0
    names = list(Schedule.objects.values_list("name", flat=True))
    assert {"recovery of jobs", "removal of old jobs"} <= set(names)
    assert len(names) == len(set(names))
    assert all(callable(import_string(function)) for function in Schedule.objects.values_list("func", flat=True))
    assert schedules.ensure_schedules() == 0
    assert Schedule.objects.count() == len(names)


def test_what_a_person_changed_stays_but_a_renamed_function_follows() -> None:
    schedules.ensure_schedules()
    Schedule.objects.filter(name="removal of old jobs").update(minutes=60, func="old.name")
    schedules.ensure_schedules()
    row = Schedule.objects.get(name="removal of old jobs")
    assert (row.minutes, row.func) == (60, "jobs.services.clean_up")


def test_two_plans_cannot_have_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "_planned", {})
    schedules.register_schedule("tidy", "a.b", 5)
    schedules.register_schedule("tidy", "a.b", 5)
    with pytest.raises(ValueError, match="tidy"):
        schedules.register_schedule("tidy", "a.c", 5)


def test_kind_is_found_by_its_dotted_path(add_kind: Any) -> None:
    add_kind("clean", "jobs.services.clean_up")
    assert kinds.load_function("clean").__name__ == "clean_up"
    with pytest.raises(ValueError, match="clean"):
        kinds.register("clean", "jobs.services.enqueue", label="clean")


def test_cancel_command_says_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = Job.objects.create(kind="work")
    running = Job.objects.create(kind="work", status="running")
    call_command("cancel_job", str(waiting.pk))
    call_command("cancel_job", str(running.pk))
    assert capsys.readouterr().out == f"Job {waiting.pk} is cancelled.\nJob {running.pk} was asked to stop.\n"
    with pytest.raises(SystemExit) as caught:
        call_command("cancel_job", "12345")
    assert caught.value.code == 1
    assert capsys.readouterr().err.strip() == "There is no job 12345."
