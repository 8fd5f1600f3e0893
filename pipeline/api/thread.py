"""``/api/v1/events/{slug}/thread``: the draft, changed, approved, sent, taken back. By ``pipeline.thread``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import Needs, posts, reads, runs
from common.api.paging import read_positive
from common.api.parsing import MAX_INTEGER
from common.api.problems import Problem, invalid
from events.models import Event
from pipeline.api.ground import EventPart
from pipeline.api.phases import NoWish, queues, require_analysis
from pipeline.models import Thread, ThreadToot
from pipeline.services import ask_for_draft, ask_to_delete_thread, ask_to_send
from pipeline.thread import approval, edit, ledger
from pipeline.thread.edit import WrongText
from pipeline.thread.ledger import NotAllowed, ThreadTrouble

TAG = "thread"
_TOOT = OpenApiParameter(
    "toot", {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}, OpenApiParameter.PATH, description="Its `id`."
)
_REVISION = OpenApiParameter(
    "revision",
    {"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
    description="The revision that you looked at; 409 if there is a newer one.",
)


class ThreadTootSerializer(serializers.ModelSerializer[ThreadToot]):
    descriptions = serializers.SerializerMethodField(help_text="Alternative texts of its pictures.")

    class Meta:
        model = ThreadToot
        fields = ["id", "position", "role", "text", "descriptions", "state", "is_edited", "url", "error", "sent_at"]
        read_only_fields = fields

    def get_descriptions(self, toot: ThreadToot) -> list[str]:
        return [str(entry.get("description", "")) for entry in toot.media]


class ThreadSerializer(serializers.ModelSerializer[Thread]):
    toots = serializers.SerializerMethodField()
    account = serializers.CharField(allow_null=True, help_text="Who posts it; null until it is on its way.")
    max_characters = serializers.SerializerMethodField()

    class Meta:
        model = Thread
        fields = [
            "state",
            "revision",
            "account",
            "visibility",
            "language",
            "content_warning",
            "max_characters",
            "error",
            "planned_at",
            "approved_at",
            "sent_at",
            "deleted_at",
            "toots",
        ]
        read_only_fields = fields

    @extend_schema_field(ThreadTootSerializer(many=True))
    def get_toots(self, thread: Thread) -> list[Any]:
        rows = ThreadTootSerializer(ledger.rows_of(thread.event), many=True).data
        return list(rows)

    def get_max_characters(self, thread: Thread) -> int:
        return ledger.read_limits(thread).max_characters


def _revision(**options: Any) -> serializers.IntegerField:
    text = "The revision that you looked at; 409 if there is a newer one."
    return serializers.IntegerField(min_value=0, max_value=MAX_INTEGER, help_text=text, **options)


class TootWish(serializers.Serializer[Any]):
    text = serializers.CharField(required=False, max_length=20_000, style={"base_template": "textarea.html"})
    descriptions = serializers.ListField(
        child=serializers.CharField(max_length=10_000), max_length=16, required=False, help_text="One per picture."
    )
    position = serializers.IntegerField(min_value=1, max_value=1000, required=False, help_text="Where to move it.")
    revision = _revision(required=False)


class ApproveWish(serializers.Serializer[Any]):
    revision = _revision()


@contextmanager
def conflicts() -> Iterator[None]:
    """What cannot be done with the thread as it is: 409; a text that does not fit: 422; who may not: 403."""
    try:
        yield
    except NotAllowed as error:
        raise Problem(403, error.user_message) from error
    except WrongText as error:
        raise invalid("descriptions" if error.is_description else "text", error.user_message) from error
    except ThreadTrouble as error:
        raise Problem(409, error.user_message) from error


class ThreadActions(EventPart):
    THREAD_ACCESS: ClassVar[dict[str, Needs]] = {
        "thread": reads("events.view_event"),
        **dict.fromkeys(("draft_thread", "thread_toot", "drop_toot"), runs("events.change_event")),
        **dict.fromkeys(
            ("approve_thread", "withdraw_thread", "send_thread", "delete_thread"),
            posts("events.view_event", "pipeline.post_thread"),
        ),
    }
    THREAD_RATES: ClassVar[dict[str, str]] = dict.fromkeys(("draft_thread", "send_thread", "delete_thread"), "jobs")

    @extend_schema(tags=[TAG], summary="The thread", responses=ThreadSerializer)
    @action(detail=True)
    def thread(self, request: Request, slug: str) -> Response:
        """Its state, and its toots as they will be or as they are out."""
        return self._thread(self.find_event())

    @queues("Draft the thread", NoWish)
    @thread.mapping.post
    def draft_thread(self, request: Request, slug: str) -> Response:
        """Anew if there is a draft: what was edited is lost. 409 before the first analysis, and for a thread that is
        approved or out."""
        event = self.find_event()
        with conflicts():
            require_analysis(event)
            return self.queued(ask_for_draft(event, asked_by=request.user))

    @extend_schema(
        tags=[TAG],
        summary="Change a toot of the draft",
        parameters=[_TOOT],
        request=TootWish,
        responses=ThreadSerializer,
    )
    @action(
        detail=True,
        methods=["patch"],
        url_path=r"thread/toots/(?P<toot>[0-9]{1,18})",
        url_name="thread-toot",
        serializer_class=TootWish,
    )
    def thread_toot(self, request: Request, slug: str, toot: str) -> Response:
        """Its text, the alternative texts of its pictures, its place. Only while the thread is a draft."""
        event = self.find_event()
        self._require_toot(event, toot)
        given = TootWish(data=request.data)
        given.is_valid(raise_exception=True)
        wish = given.validated_data
        with conflicts():
            edit.change_toot(
                event,
                int(toot),
                text=wish.get("text"),
                descriptions=wish.get("descriptions"),
                to=wish.get("position"),
                revision=wish.get("revision"),
            )
        return self._thread(event)

    @extend_schema(
        tags=[TAG], summary="Leave a toot out", parameters=[_TOOT, _REVISION], responses={200: ThreadSerializer}
    )
    @thread_toot.mapping.delete
    def drop_toot(self, request: Request, slug: str, toot: str) -> Response:
        """Of the draft; making it anew brings it back."""
        event = self.find_event()
        self._require_toot(event, toot)
        revision = read_positive(request, "revision", 0) or None
        with conflicts():
            edit.drop_toot(event, int(toot), revision=revision)
        return self._thread(event)

    @extend_schema(tags=[TAG], summary="Approve the thread", request=ApproveWish, responses=ThreadSerializer)
    @action(detail=True, methods=["post"], url_path="thread/approve", serializer_class=ApproveWish)
    def approve_thread(self, request: Request, slug: str) -> Response:
        """Freezes the draft that you looked at, so that it can be sent."""
        event = self.find_event()
        wish = ApproveWish(data=request.data)
        wish.is_valid(raise_exception=True)
        with conflicts():
            approval.approve(event, request.user, revision=wish.validated_data["revision"])
        return self._thread(event)

    @extend_schema(tags=[TAG], summary="Withdraw the approval", request=None, responses=ThreadSerializer)
    @action(detail=True, methods=["post"], url_path="thread/withdraw")
    def withdraw_thread(self, request: Request, slug: str) -> Response:
        """Makes a draft of it again; of a thread that is partly out, of the rest."""
        event = self.find_event()
        with conflicts():
            approval.withdraw(event, request.user)
        return self._thread(event)

    @queues("Send the thread", NoWish)
    @action(detail=True, methods=["post"], url_path="thread/send")
    def send_thread(self, request: Request, slug: str) -> Response:
        """Once approved; of a thread that is partly out, the rest."""
        with conflicts():
            return self.queued(ask_to_send(self.find_event(), asked_by=request.user))

    @queues("Take the thread back", NoWish)
    @action(detail=True, methods=["post"], url_path="thread/delete")
    def delete_thread(self, request: Request, slug: str) -> Response:
        """Deletes every toot of it that is out, the newest first. 409 when nothing is."""
        with conflicts():
            return self.queued(ask_to_delete_thread(self.find_event(), asked_by=request.user))

    def _thread(self, event: Event) -> Response:
        thread = Thread.objects.select_related("account").filter(event=event).first()
        return Response(ThreadSerializer(thread or Thread(event=event)).data)

    def _require_toot(self, event: Event, toot: str) -> None:
        if not ledger.rows_of(event).filter(pk=int(toot)).exists():
            raise Problem(404, "There is no such toot in the thread.")
