from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mastoscore_site.settings")
django.setup(set_prefix=False)

from mastoscore_site.handler import HouseHandler  # noqa: E402

application = HouseHandler()
