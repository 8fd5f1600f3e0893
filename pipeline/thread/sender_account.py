"""Who posts: the account, its token, and that the server agrees. Every refusal here is before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass

from common.encryption import UnreadableSecret
from common.http import InvalidAnswer
from common.mastodon_errors import NotFound, RemoteRefused
from events.models import Event, MastodonAccount
from pipeline.models import Thread
from pipeline.thread import ledger
from pipeline.thread.ledger import ThreadTrouble
from pipeline.thread.outbox import Outbox
from pipeline.thread.plan import is_practice, may_rehearse_on

_NEEDED = (("write", "write:statuses"), ("write", "write:media"))


class NoAccount(ThreadTrouble):
    """Nobody to post as, or a token that does not let us."""


@dataclass(frozen=True, slots=True)
class Me:
    """The account as its server knows it."""

    account_id: str
    name: str


def choose_sender(event: Event, thread: Thread) -> MastodonAccount:
    """The account that posts; NoAccount in a sentence if there is none that can."""
    account = event.thread_account
    if account is None:
        raise NoAccount(f"{event.slug} has no account to post with; choose one, or connect one first.")
    before = thread.account
    if before is not None and before != account and ledger.has_begun(event):
        raise NoAccount(
            f"Part of the thread of {event.slug} was posted by {before}, and the event is set to {account} now; "
            "set it back, or delete the thread first."
        )
    try:
        token = account.token
    except UnreadableSecret as error:
        raise NoAccount(str(error), user_message=error.user_message) from error
    if not token:
        raise NoAccount(f"There is no token for {account}; connect the account, or add its token.")
    _check_scopes(account)
    if is_practice(event) and not may_rehearse_on(account.server):
        raise NoAccount(
            f"The numbers of {event.slug} come from the bundled fediverse; a rehearsal is not posted on "
            f"{account.server}. Fetch the real toots first."
        )
    return account


def identify(outbox: Outbox, account: MastodonAccount) -> Me:
    """Ask the server whose the token is."""
    try:
        facts = outbox.ask(outbox.client.verify_credentials)
    except (RemoteRefused, NotFound) as error:
        raise NoAccount(
            str(error),
            user_message=f"{account.server} does not accept the token of {account} any more (it answered "
            f"{error.status_code}); connect the account again.",
        ) from error
    if account.username and facts.username.casefold() != account.username.casefold():
        raise NoAccount(
            f"The token of {account} belongs to @{facts.username}@{account.server}; connect the account again."
        )
    account_id = str(facts.raw.get("id") or "")
    if not account_id:
        raise InvalidAnswer(
            f"{account.server} gave the account no id",
            server=account.server,
            user_message=f"{account.server} does not say which account the token belongs to.",
        )
    return Me(account_id, f"@{facts.username}@{account.server}")


def _check_scopes(account: MastodonAccount) -> None:
    """Only for tokens whose scopes are known; of the others the server will tell."""
    granted = account.scopes.split()
    missing = [fine for coarse, fine in _NEEDED if granted and coarse not in granted and fine not in granted]
    if missing:
        raise NoAccount(
            f"The token of {account} may not do what is needed ({' and '.join(missing)}); connect the account again."
        )
