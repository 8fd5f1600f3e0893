from __future__ import annotations

import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mastoscore_site.settings")
django.setup(set_prefix=False)

from django.urls import get_resolver  # noqa: E402

from mastoscore_site.handler import HouseHandler  # noqa: E402

application = HouseHandler()

# What is loaded by now stays for good. Looked through at every large collection of garbage, it made one call in some
# twenty wait for 100 ms.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
