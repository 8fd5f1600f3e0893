from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command
from django_q.models import Schedule

from common.errors import ConfigurationError
from mastoscore_site.first_start import prepare

pytestmark = pytest.mark.django_db


def test_first_admin_gets_a_password_that_works_and_is_said_once() -> None:
    said: list[str] = []
    prepare(said.append)
    password = re.search(r"the password (\S+)$", said[0])
    assert password is not None
    user = authenticate(username="admin", password=password[1])
    assert user is not None and user.is_superuser
    said.clear()
    prepare(said.append)
    assert said == []
    assert get_user_model().objects.count() == 1


def test_no_admin_is_made_where_somebody_can_log_in(django_user_model: Any) -> None:
    django_user_model.objects.create_user("host", password="x")
    prepare(lambda text: None)
    assert list(django_user_model.objects.values_list("username", flat=True)) == ["host"]


def test_quiet_preparation_says_nothing_and_makes_no_admin(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prepare", "--quiet")
    assert capsys.readouterr() == ("", "")
    assert not get_user_model().objects.exists()
    assert Schedule.objects.filter(name="recovery of jobs").count() == 1


def test_data_folder_that_cannot_be_written_is_a_sentence(settings: Any) -> None:
    settings.DATA_DIR = Path("/proc/nowhere")
    with pytest.raises(ConfigurationError, match="The data folder /proc/nowhere cannot be written to"):
        prepare(lambda text: None)
