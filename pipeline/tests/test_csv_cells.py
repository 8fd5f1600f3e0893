"""What other servers say does not become a formula in somebody's spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from pipeline.core.csv_cells import as_cell
from pipeline.export import _cells
from pipeline.servers_report import COLUMNS, ServerLine, report_as_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_would_be_computed_gets_an_apostrophe(text: str) -> None:
    assert as_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "films.example", "a=b", -1, 2.5, True, None])
def test_everything_else_stays_as_it_is(value: Any) -> None:
    assert as_cell(value) is value


def test_table_of_servers_holds_no_formula() -> None:
    line = ServerLine(
        "films.example", False, "trouble", "error", "went wrong", "=HYPERLINK(1)", "", 1, 2, 0, 3, 4, 0.5
    )
    (row,) = csv.DictReader(io.StringIO(report_as_csv([line])))
    assert (row["detail"], row["requests"], row["seconds"]) == ("'=HYPERLINK(1)", "3", "0.5")
    assert list(row) == list(COLUMNS)


def test_exported_toots_hold_no_formula_and_their_numbers_are_untouched() -> None:
    row = {"uri": "=1", "author": "@a", "created_at": "2026", "boosts": -1, "seen_on": ["b.example", "c.example"]}
    assert list(_cells(row).values()) == ["'=1", "'@a", "2026", -1, "b.example c.example"]
