"""What every app needs to speak on the API, and what none of them may know of the others.

How a viewset is written (in ``<app>/viewsets.py``; it imports only from here, never from ``mastoscore_site``)::

    class EventViewSet(ApiViewSet, ListModelMixin, RetrieveModelMixin):
        lookup_field = "slug"
        serializer_class = EventSerializer
        queryset = Event.objects.select_related("series").order_by("-start")
        access = {                                             # every action has its row, or the API answers 500
            "list": reads("events.view_event"),
            "retrieve": reads("events.view_event"),
            "create": runs("events.add_event"),
            "fetch": runs("events.change_event"),
            "send": posts("pipeline.post_thread"),
        }
        rate_scope = {"fetch": "jobs"}                         # or one name for all actions; else "general"

- ``access`` (``common.api.access``): the scope a token needs and the permissions its user needs, per action of a
  viewset or per method ("get", "post") of an ``ApiView``. Somebody signed in by session needs the permissions alone.
- ``rate_scope``: which allowance the call is taken from: "general", "jobs", "metrics", "progress" or
  "summaries".
- ``forms``: what an action asks for in a browser, where that is not the ``serializer_class``.
- Errors: raise. ``Problem(409, "…")`` of ``common.api.problems`` for anything special, the usual ``NotFound``,
  ``ValidationError`` and so on of DRF otherwise, and let MastoscoreErrors of the services pass: ``mastoscore_site.
  api_errors`` gives each its status and the one shape.
- Lists: ``NumberedPages`` is the default, ``LargePages`` and ``CursorPages`` are in ``common.api.paging``.
- Routes: add the viewset to ``V1`` in ``mastoscore_site/api.py``. A slash at the end is optional everywhere.

Routes of the Mastoscore contract (``/api`` without version) stand on ``MastoscoreView`` instead: JSON whatever the
client says it accepts, and errors as ``{"error": …}``.
"""
