"""The pure half of the reader stays pure: no Django, no network, no database, no clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOM = Path(__file__).resolve().parents[1]
NAMES = """
    article_text caching content data dates decoding discovery entries feed_tree icon_images json_feed link_digest
    link_header links markdown markup measures opml parsing players prompts sanitising schedule sentences summaries
    texts trackers
"""
PURE = frozenset(NAMES.split())
OUTSIDE = ("django", "requests", "urllib3", "socket", "http", "jobs", "common.http", "random")


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_module_leans_on_pure_modules_only(name: str) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse((ROOM / f"{name}.py").read_text())):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
        elif isinstance(node, ast.Attribute):
            assert node.attr not in ("now", "utcnow", "today"), f"{name} looks at the clock"
    assert not [module for module in imported if module.startswith(OUTSIDE) and module != "html.entities"]
    own = {module.removeprefix("feeds.") for module in imported if module.startswith("feeds.")}
    assert own <= PURE
