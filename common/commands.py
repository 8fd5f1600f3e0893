"""The ground of every command: errors as one sentence on stderr, exit codes that mean something.

Exit codes: 0 done, 1 failed, 2 wrong usage (argparse), 130 cancelled.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.core import checks
from django.core.management.base import BaseCommand, SystemCheckError
from django.db import OperationalError

from common.database_trouble import explain_database_trouble
from common.errors import ConfigurationError, MastoscoreError

DONE, FAILED, CANCELLED = 0, 1, 130
# Tag of the system checks that look at settings of ours and at nothing else.
SETTINGS_CHECKS = "mastoscore"


class HouseCommand(BaseCommand):
    """A command that says what it does in ``run``; whatever goes wrong there ends as a sentence and a code.

    ``run`` returns an exit code, or None for 0. A code other than 0 leaves as SystemExit, also through
    ``call_command``.
    """

    def run(self, **options: Any) -> int | None:
        raise NotImplementedError("a command says in run() what it does")

    def handle(self, *args: Any, **options: Any) -> None:
        code = self._guarded_run(**options)
        if code:
            raise SystemExit(code)

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Settings of ours that cannot work end in a sentence each, without the ceremony of ``manage.py check``."""
        try:
            super().check(*args, **kwargs)
        except SystemCheckError:
            found = [message for message in checks.run_checks() if message.is_serious()]
            if not found or not all(str(message.id).startswith("mastoscore.") for message in found):
                raise
            for message in found:
                self.stderr.write(f"{message.msg} {message.hint or ''}".strip())
            raise SystemExit(FAILED) from None

    def warn(self, text: str) -> None:
        self.stderr.write(f"Warning: {text}")

    def _guarded_run(self, **options: Any) -> int:
        try:
            return self.run(**options) or DONE
        except MastoscoreError as error:
            self.stderr.write(error.user_message)
            return FAILED
        except OperationalError as error:
            self.stderr.write(explain_database_trouble(error) or f"The database cannot be used ({error}).")
            return FAILED
        except KeyboardInterrupt:
            self.stderr.write("Cancelled.")
            return CANCELLED
        except BrokenPipeError:  # whoever read our output has heard enough; nothing may be flushed at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED


def read_argument(name: str, *, max_bytes: int) -> bytes:
    """The content of the file named on the command line; ``-`` is standard input.

    Raises ConfigurationError with a sentence when it cannot be read or is larger than ``max_bytes``.
    """
    shown = "standard input" if name == "-" else name
    try:
        if name == "-":
            content = sys.stdin.buffer.read(max_bytes + 1)
        else:
            with Path(name).open("rb") as stream:
                content = stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or "not a file name"
        raise ConfigurationError(
            f"cannot read {shown}: {reason}", user_message=f"Could not read {shown}: {reason}."
        ) from error
    if len(content) > max_bytes:
        raise ConfigurationError(
            f"{shown} is larger than {max_bytes} bytes",
            user_message=f"{shown} is too large: at most {max_bytes // 1024} KB are read.",
        )
    return content
