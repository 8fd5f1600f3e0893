from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser

from common.api.access import Scope
from common.commands import HouseCommand
from common.errors import ConfigurationError
from mastoscore_site.tokens import make_token, parse_scopes


class Command(HouseCommand):
    help = "Make an API token for a user and print it, and nothing else. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="what it is for; each of a user's tokens has its own")
        parser.add_argument(
            "--scopes",
            required=True,
            help=f"comma separated: {', '.join(f'{scope} ({scope.meaning})' for scope in Scope)}; "
            "run and post include read",
        )
        parser.add_argument("--days", type=int, help="how long it is good for; without it, until it is revoked")

    def run(self, **options: Any) -> None:
        scopes = parse_scopes(options["scopes"].split(","))
        user = get_user_model().objects.filter(username=options["username"]).first()
        if user is None:
            raise ConfigurationError(f"There is no user “{options['username']}”.")
        if not user.is_active:
            raise ConfigurationError(f"The user “{user}” may not log in, so a token would not work.")
        _, text = make_token(user, options["name"], scopes, days=options["days"])
        self.stdout.write(text)
