from __future__ import annotations

from pipeline.management.phase_command import PhaseCommand


class Command(PhaseCommand):
    help = "Draw the words of an event's toots."
    kind = "wordcloud"
