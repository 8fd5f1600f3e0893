from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand, read_argument
from common.servers import parse_server
from events.accounts import add_account, decode_token_file, parse_credentials


class Command(HouseCommand):
    help = "Make or update the account on a server; a token is checked with the server before it is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", required=True, help="address of the server, such as https://mastodon.social")
        parser.add_argument(
            "--token-file", metavar="FILE", help="file whose first line is the token, or - for standard input"
        )

    def run(self, **options: Any) -> None:
        token = ""
        if options["token_file"]:
            content = read_argument(options["token_file"], max_bytes=16_384)
            token = parse_credentials(decode_token_file(content), parse_server(options["url"]))
        outcome = add_account(options["url"], token)
        for warning in outcome.warnings:
            self.warn(warning)
        done = "Added" if outcome.created else "Updated"
        how = "token confirmed" if outcome.is_verified else "token not checked" if token else "without a token"
        self.stdout.write(f"{done} {outcome.account} ({how}).")
