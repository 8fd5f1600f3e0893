"""What `manage.py check`, and with it every command, says about settings that cannot work."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from common.addresses import parse_private_hosts
from common.commands import SETTINGS_CHECKS
from common.errors import ConfigurationError


@register(SETTINGS_CHECKS)
def check_data_folder(**kwargs: Any) -> list[CheckMessage]:
    folder = Path(settings.DATA_DIR)
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"The data folder {folder} cannot be written to.",
            hint="Make it writable, or name another one in MASTOSCORE_DATA_DIR.",
            id="mastoscore.E001",
        )
    ]


@register(SETTINGS_CHECKS)
def check_queue_times(**kwargs: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if settings.Q_CLUSTER["timeout"] >= settings.Q_CLUSTER["retry"]:
        problems.append(Error("Q_CLUSTER: timeout must be below retry.", id="mastoscore.E002"))
    if settings.JOBS_PULSE_SECONDS * 3 > settings.JOBS_DEAD_AFTER_SECONDS:
        problems.append(
            Error("JOBS_DEAD_AFTER_SECONDS must leave room for three pulses of a job.", id="mastoscore.E003")
        )
    if settings.JOBS_RELEASE_GRACE_SECONDS >= settings.WORKER_STOP_SECONDS:
        problems.append(Error("WORKER_STOP_SECONDS must be above JOBS_RELEASE_GRACE_SECONDS.", id="mastoscore.E004"))
    if settings.WORKERS < 1:
        problems.append(Error("MASTOSCORE_WORKERS must be at least 1.", id="mastoscore.E005"))
    return problems


@register(SETTINGS_CHECKS)
def check_private_hosts(**kwargs: Any) -> list[CheckMessage]:
    try:
        parse_private_hosts(settings.MASTOSCORE_PRIVATE_HOSTS)
    except ConfigurationError as error:
        return [Error(f"MASTOSCORE_PRIVATE_HOSTS: {error.user_message}", id="mastoscore.E006")]
    return []


@register(SETTINGS_CHECKS)
def check_api_settings(**kwargs: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = [
        Error(f"API_RATE_{scope.upper()} must be at least 1.", id="mastoscore.E007")
        for scope, limit in settings.API_RATES.items()
        if limit < 1
    ]
    if settings.API_MAX_BODY_BYTES < 1 or settings.PROXIES < 0:
        problems.append(Error("API_MAX_BODY_BYTES must be at least 1, and PROXIES at least 0.", id="mastoscore.E008"))
    for network in settings.METRICS_ALLOWED:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            problems.append(
                Error(f"METRICS_ALLOWED: “{network}” is neither an address nor a network.", id="mastoscore.E009")
            )
    return problems


@register(SETTINGS_CHECKS)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= 32:
        return []
    return [
        Warning(
            "SECRET_KEY is short; sessions and stored tokens are only as safe as it is.",
            hint="Leave it empty and one is made in the data folder.",
            id="mastoscore.W001",
        )
    ]
