"""Guards of the house: who may lean on whom, what the pages promise, what may not be committed."""

from __future__ import annotations

import ast
import re
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
APPS = ("common", "events", "jobs", "pipeline", "feeds", "mastoscore_site")
# Each room may lean on itself and on these.
MAY_IMPORT = {
    "common": set(),
    "events": {"common"},
    "jobs": {"common"},
    "pipeline": {"common", "events", "jobs"},
    "feeds": {"common", "jobs"},
    "mastoscore_site": {"common", "events", "jobs", "pipeline", "feeds"},
}


def source_files(app: str) -> list[Path]:
    return [path for path in (ROOT / app).rglob("*.py") if not {"tests", "migrations"} & set(path.parts)]


def imported_modules(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return modules


@pytest.mark.parametrize("app", APPS)
def test_rooms_lean_only_downwards(app: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in source_files(app)
        for module in imported_modules(path)
        if module.split(".")[0] in set(APPS) - MAY_IMPORT[app] - {app}
    ]
    assert wrong == []


@pytest.mark.parametrize("path", sorted((ROOT / "pipeline" / "core").glob("*.py")), ids=lambda path: path.name)
def test_core_touches_neither_django_nor_network_nor_database(path: Path) -> None:
    shell = ("django", "requests", "urllib3", "socket", "events", "jobs", "pipeline.models", "pipeline.phases")
    assert [m for m in imported_modules(path) if m.startswith(shell) and m != "socketserver"] == []


def test_only_the_gate_speaks_to_the_network() -> None:
    allowed = {"common/http.py", "common/transport.py"}
    offenders = [
        str(path.relative_to(ROOT))
        for app in APPS
        for path in source_files(app)
        if "mock" not in path.parts
        and str(path.relative_to(ROOT)) not in allowed
        and {m.split(".")[0] for m in imported_modules(path)} & {"requests", "urllib3", "httpx", "aiohttp"}
    ]
    assert [name for name in offenders if not name.startswith("common/http")] == []


def test_every_variable_that_is_read_stands_in_the_example() -> None:
    settings_text = (ROOT / "mastoscore_site" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', settings_text))
    shown = set(re.findall(r"^([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read == shown


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]+):", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z-]+):.*## ", makefile, re.MULTILINE))
    assert targets == explained


def test_readme_names_the_two_first_commands_and_links_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme
    assert "make test" in readme
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    assert {page for page in pages if f"({page}" not in readme} == set()
    linked = re.findall(r"\]\(((?!https?:|#)[^)#]+)", readme)
    assert [target for target in linked if not (ROOT / target).exists()] == []


def test_pinned_packages_carry_their_reason() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in packages if not re.fullmatch(r"[\w.\-\[\]]+==[\w.]+\s+# \S.+", line)] == []


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    output = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=output)
    assert "No changes detected" in output.getvalue()


def test_tracked_files_hold_no_path_of_a_machine() -> None:
    if not (ROOT / ".git").exists():
        files = [path for app in APPS for path in source_files(app)]
    else:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        files = [ROOT / name for name in listed.stdout.split("\0") if name]
    pattern = re.compile(rb"(?<![\w.\-/])/(?:root|home/\w+|Users/\w+|wo" + rb"rk|farm)/")
    ours = [path for path in files if ROOT / "tests" / "samples" not in path.parents]  # samples are others' words
    texts = [path for path in ours if path.is_file() and path.suffix not in {".png", ".jpg", ".ttf", ".otf"}]
    assert [path.relative_to(ROOT).as_posix() for path in texts if pattern.search(path.read_bytes())] == []
