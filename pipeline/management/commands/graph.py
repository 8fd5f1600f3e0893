from __future__ import annotations

from pipeline.management.phase_command import PhaseCommand


class Command(PhaseCommand):
    help = "Draw toots per minute before, during and after an event."
    kind = "graph"
