#!/usr/bin/env python3
"""Entry to every command of the site: `python manage.py help`."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mastoscore_site.settings")
    try:
        import django
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed here. Run `make run` or `make demo`, or use .venv/bin/python manage.py."
        ) from error
    try:
        # What is loaded now stays; to look through it for garbage time and again takes a sixth of the start.
        gc.disable()
        try:
            django.setup()
        finally:
            gc.enable()
        try:
            execute_from_command_line(sys.argv)
        finally:
            # The system takes it all back; to look through it for garbage first takes 0.2 s of each command.
            gc.freeze()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
