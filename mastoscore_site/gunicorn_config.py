"""How the web server of `manage.py serve` runs. Few requests at once, so one process with threads."""

from __future__ import annotations

from typing import Any

from mastoscore_site.processes import die_with_parent, die_with_supervisor

worker_class = "gthread"
workers = 1
threads = 8
timeout = 60
graceful_timeout = 4
keepalive = 5
loglevel = "warning"
proc_name = "mastoscore web"
control_socket_disable = True

die_with_supervisor()


def post_fork(server: Any, worker: Any) -> None:
    die_with_parent(server.pid)
