"""An OpenAI-compatible endpoint, asked for one text at a time: ``POST …/chat/completions``, through the gate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from common.addresses import parse_address
from common.errors import RemoteError
from common.http import Answer, Gate, GatePolicy, InvalidAnswer, policy_from_settings
from common.http_targets import find_target
from common.mastodon_errors import retry_after_seconds
from common.times import now_utc
from feeds.prompts import Prompt

MAX_BYTES = 500_000
_PATH = "/chat/completions"
_SERVICE = "The summary service"


@dataclass(frozen=True, slots=True)
class Reply:
    """``was_cut``: it was to be longer than allowed. Tokens None: the service did not say."""

    text: str
    was_cut: bool
    input_tokens: int | None
    output_tokens: int | None


def is_configured() -> bool:
    return bool(settings.SUMMARY_API_URL)


def name_of_model() -> str:
    """What made a text, for telling texts of different makers apart."""
    return f"{settings.SUMMARY_MODEL} at {settings.SUMMARY_API_URL}"


def chat_policy() -> GatePolicy:
    """Who runs this site chose the address, so it may be a private one; no other private address may."""
    seconds = settings.SUMMARY_SECONDS
    policy = policy_from_settings(extra_private_hosts=_own_hosts())
    return replace(policy, total_seconds=seconds, read_seconds=seconds, max_bytes=MAX_BYTES)


def ask(gate: Gate, prompt: Prompt) -> Reply:
    """The model's answer as it came; RemoteError with a sentence when there is none. It costs: see ``spending``."""
    body = {
        "model": settings.SUMMARY_MODEL,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "stream": False,
    }
    answer = _post(gate, {**body, "max_tokens": prompt.max_tokens, "temperature": prompt.temperature})
    if answer.status_code == 400 and b"max_completion_tokens" in answer.body:
        # Some newer models know the limit by this name only, and no temperature.
        answer = _post(gate, {**body, "max_completion_tokens": prompt.max_tokens})
    if answer.status_code != 200:
        raise _refused(answer)
    return _read(answer.json())


def _post(gate: Gate, body: dict[str, Any]) -> Answer:
    url = settings.SUMMARY_API_URL
    address = url if url.endswith(_PATH) else f"{url}{_PATH}"
    return gate.post(address, json=body, headers={"Accept": "application/json"}, token=settings.SUMMARY_API_KEY)


def _read(found: Any) -> Reply:
    choices = found.get("choices") if isinstance(found, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(choice, dict) or not isinstance(text, str) or not text.strip():
        raise InvalidAnswer("no text in the answer", user_message=f"{_SERVICE} sent something that makes no sense.")
    usage = found.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Reply(
        text=text,
        was_cut=choice.get("finish_reason") == "length",
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
    )


def _refused(answer: Answer) -> RemoteError:
    status = answer.status_code
    wait = retry_after_seconds(answer.headers, now=now_utc())
    if status in (401, 403):
        told, permanent = f"{_SERVICE} does not accept the key of this site.", True
    elif status == 429:
        told, permanent = f"{_SERVICE} is asked too often just now; try again later.", False
    elif status >= 500:
        told, permanent = f"{_SERVICE} has a fault of its own ({status}); try again later.", False
    else:
        told, permanent = f"{_SERVICE} did not take the request ({status}).", True
    return RemoteError(
        f"the summary service answered {status}",
        status_code=status,
        permanent=permanent,
        retry_after=wait,
        user_message=told,
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**8 else None


def _own_hosts() -> list[str]:
    target = find_target(settings.SUMMARY_API_URL, ())
    if target.host == "localhost":
        return [f"127.0.0.1:{target.port}", f"[::1]:{target.port}"]
    return [f"{target.host}:{target.port}"] if parse_address(target.host) is not None else []
