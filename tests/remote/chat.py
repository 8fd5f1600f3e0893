"""An OpenAI-compatible endpoint: well-behaved, or whatever a test puts first into ``next``."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.remote.answering_host import Call, Reply

KEY = "sk-of-the-site"


def completion(text: str, *, finish_reason: str = "stop", **usage: int) -> Reply:
    counts = {"prompt_tokens": 100, "completion_tokens": 20, **usage}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return Reply(200, {"id": "x", "object": "chat.completion", "choices": [choice], "usage": counts})


@dataclass
class ChatEndpoint:
    text: str = "Frogs jump far. They eat flies."
    next: list[Reply] = field(default_factory=list)

    def __call__(self, call: Call) -> Reply:
        if self.next:
            return self.next.pop(0)
        if call.path != "/v1/chat/completions" or call.method != "POST":
            return Reply(404, {"error": {"message": "Unknown request URL"}})
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return Reply(401, {"error": {"message": f"Incorrect API key: {call.headers.get('authorization')}"}})
        return completion(self.text)
