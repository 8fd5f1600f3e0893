"""How DRF and the OpenAPI document are set up; ``settings.py`` takes both from here."""

from __future__ import annotations

from typing import Any

from common import VERSION

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "mastoscore_site.api_auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["mastoscore_site.api_access.HasAccess"],
    "DEFAULT_THROTTLE_CLASSES": ["mastoscore_site.api_rates.ScopeThrottle"],
    "DEFAULT_PARSER_CLASSES": [
        "common.api.parsing.StrictJsonParser",
        "common.api.parsing.StrictFormParser",
        "common.api.parsing.StrictMultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "mastoscore_site.api_browsing.BrowsableRenderer",
    ],
    "DEFAULT_PAGINATION_CLASS": "common.api.paging.NumberedPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_METADATA_CLASS": "mastoscore_site.api_browsing.Outline",
    "DEFAULT_SCHEMA_CLASS": "mastoscore_site.api_schema.HouseSchema",
    "EXCEPTION_HANDLER": "mastoscore_site.api_errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

_DESCRIPTION = """
Score hashtag events of the fediverse: events, jobs, results, threads.

Send a personal token as `Authorization: Bearer ms_…`; make one under *API tokens* on the site, or with
`manage.py create_token`. A token has scopes: `read`, `run` (change events, run phases) and `post` (approve and send
threads); the latter two include `read`. Whatever the token allows, its user must have the permission as well.

An answer that is no success is `{"message": …}`, with `errors` (field: sentences) when the input was at fault; on the
routes below `/api` without a version it is `{"error": …}`. Every answer says in `X-RateLimit-*` what is left of the
allowance of this minute.
"""

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Mastoscore",
    "DESCRIPTION": _DESCRIPTION.strip(),
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api(/v1)?",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "DISABLE_ERRORS_AND_WARNINGS": False,
    "ENUM_NAME_OVERRIDES": {"FetchModeEnum": "events.models.ScoringDefaults.FetchMode"},
    "PREPROCESSING_HOOKS": ["mastoscore_site.api_schema.name_paths"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mastoscore_site.api_schema.add_common_answers",
        "mastoscore_site.api_examples.add_examples",
    ],
}
