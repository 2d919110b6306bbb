"""Workbooks and charts from attached tables: the rehearsal's program really runs, and its numbers are checked."""

from __future__ import annotations

import asyncio
import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.models.rehearsal import Rehearsal
from bot.models.rehearsal.table_script import number, plain_bars
from tests.support.desk import Desk, machine_python

SALES = b"""Region,Colour,Product,Amount EUR,Amount USD,Year
EMEA,Blue,Chair,"1,200.50","1,300",2025
EMEA,Red,Table,300,330,2025
APAC,Blue,Chair,50,55,2024
AMER,Green,Lamp,=1+1,6,2024
AMER,Green,Lamp,5,6,2024
"""
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A machine with nothing but the standard library; tests of workbooks take the full one."""
    return Desk(Rehearsal(pace=0), tmp_path, python=sys.executable)


def sheet(path: Path) -> list[list[Any]]:
    """The summary's cells, read back by the interpreter that wrote them."""
    if path.suffix == ".csv":
        rows = list(csv.reader(path.open(encoding="utf-8")))
        return [rows[0], *([name, float(total), int(count)] for name, total, count in rows[1:])]
    code = (
        "import json, sys, openpyxl; book = openpyxl.load_workbook(sys.argv[1]); "
        "print(json.dumps([list(row)[:3] for row in book['Summary'].iter_rows(values_only=True)]))"
    )
    done = subprocess.run([machine_python(), "-c", code, str(path)], capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("python", [sys.executable, pytest.param(machine_python(), marks=pytest.mark.slow)])
async def test_a_table_becomes_a_workbook_and_a_chart_with_real_totals(desk: Desk, python: str) -> None:
    desk.python = python
    desk.say("Make a workbook and a chart by region", desk.attach("sales 2025.csv", SALES))
    answer = await desk.work()
    workbook, chart = desk.delivered
    assert sheet(workbook)[:3] == [["Region", "Amount EUR", "rows"], ["EMEA", 1500.5, 2], ["APAC", 50, 1]]
    assert chart.read_bytes().startswith(PNG)
    assert "**Amount EUR** 1,555.50 in total, from all 5 rows" in answer
    assert "- EMEA: 1,500.50 (2 rows)" in answer
    labels = [step["text"] for step in desk.plans()[0]["steps"]]
    assert labels == [
        "Get ready to read sales 2025.csv",
        "Add up sales 2025.csv",
        "Hand over the workbook and the chart",
    ]


async def test_only_blue_ones_said_meanwhile_filters_the_rows(desk: Desk) -> None:
    desk.say("chart of this please", desk.attach("sales.csv", SALES))
    await desk.step()
    await desk.step()
    desk.say("only blue ones")
    answer = await desk.work()
    assert "from 2 of 5 rows" in answer
    assert "Taken into account: Colour is Blue." in answer
    assert "1,250.50 in total" in answer
    assert [path.stem for path in desk.delivered] == ["sales-only-blue-ones-summary", "sales-only-blue-ones-chart"]
    assert "only blue ones" in desk.plans()[-1]["goal"]


async def test_after_the_answer_it_can_still_be_narrowed_step_by_step(desk: Desk) -> None:
    desk.say("workbook by product", desk.attach("sales.csv", SALES))
    await desk.work()
    desk.say("use the EMEA rows only")
    assert "Region is EMEA" in await desk.work()
    desk.say("in USD")
    answer = await desk.work()
    assert "**Amount USD** 1,630 in total, from 2 of 5 rows" in answer
    desk.say("without tables, and by colour")
    answer = await desk.work()
    assert "Product is not Table" in answer
    assert "By Colour:" in answer


async def test_a_wish_that_matches_nothing_is_admitted(desk: Desk) -> None:
    desk.say("chart", desk.attach("sales.csv", SALES))
    await desk.step()
    desk.say("only the purple ones")
    assert 'nothing in the data matches "only the purple ones"' in await desk.work()


async def test_a_limit_on_the_amount_is_understood(desk: Desk) -> None:
    desk.say("chart by product, only over 60", desk.attach("sales.csv", SALES))
    answer = await desk.work()
    assert "from 2 of 5 rows" in answer
    assert "Amount EUR over 60" in answer


async def test_two_tables_are_two_tasks(desk: Desk) -> None:
    one, two = desk.attach("a.csv", b"x;y\np;1,5\nq;2,5\n"), desk.attach("b.tsv", b"x\ty\np\t10\nq\t20\n")
    desk.say("totals please", one, two)
    answer = await desk.work()
    assert "**a.csv**: **y** 4 in total" in answer
    assert "**b.tsv**: **y** 30 in total" in answer
    assert len(desk.delivered) == 4


async def test_a_table_said_nothing_about_is_worked_through_anyway(desk: Desk) -> None:
    desk.say("", desk.attach("sales.csv", SALES))
    assert "in total" in await desk.work()


async def test_a_chart_without_a_table_asks_for_one(desk: Desk) -> None:
    desk.say("make a chart")
    assert "Attach a CSV" in await desk.work()
    assert desk.calls == []


async def test_a_table_attached_earlier_is_found_again(desk: Desk) -> None:
    desk.say("run echo hi", desk.attach("sales.csv", SALES))
    await desk.work()
    desk.say("now make a chart of it by colour")
    assert "By Colour:" in await desk.work()


@pytest.mark.parametrize("data", [b"", b"just one line\n", b"\x00\x01\x02"])
async def test_a_broken_table_is_told_not_guessed(desk: Desk, data: bytes) -> None:
    desk.say("workbook", desk.attach("odd.csv", data))
    answer = await desk.work()
    assert "odd.csv could not be read" in answer
    assert desk.delivered == []


@pytest.mark.slow
async def test_an_excel_file_is_read_where_the_machine_can(desk: Desk) -> None:
    desk.python = machine_python()
    made = desk.home / "made.xlsx"
    code = (
        "import sys, openpyxl; b = openpyxl.Workbook(); s = b.active; "
        "[s.append(r) for r in (['City', 'Sales'], ['Rome', 3], ['Oslo', 4.5], ['Rome', 1])]; b.save(sys.argv[1])"
    )
    process = await asyncio.create_subprocess_exec(desk.python, "-c", code, str(made))
    readable = await process.wait() == 0
    desk.say("workbook", desk.attach("cities.xlsx", made.read_bytes() if readable else b"not made"))
    answer = await desk.work()
    assert ("**Sales** 8.50 in total" in answer) is readable


@pytest.mark.slow
async def test_a_cell_like_a_formula_stays_text(desk: Desk) -> None:
    desk.python = machine_python()
    desk.say("workbook by name", desk.attach("evil.csv", b'Name,Hours\n"=HYPERLINK(""http://x"")",3\nBo,4\n'))
    await desk.work()
    [cell] = [row[0] for row in sheet(desk.delivered[0]) if "HYPERLINK" in str(row[0])]
    assert cell.lstrip("'") == '=HYPERLINK("http://x")'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.50", 1234.5),
        ("1.234,50", 1234.5),
        ("1,234", 1234),
        ("12,5", 12.5),
        ("€ 12", 12),
        ("(3)", -3),
        ("12 %", 12),
        ("-4e3", -4000),
        ("1.234.567", 1234567),
        ("12 EUR", 12),
        ("=1+1", None),
        ("", None),
        ("2025-01-01", None),
        ("abc", None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, value: float | None) -> None:
    assert number(text) == value


def test_a_chart_without_any_library_is_a_png() -> None:
    assert plain_bars([3, 2, 0, -1]).startswith(PNG)
    assert plain_bars([]).startswith(PNG)
