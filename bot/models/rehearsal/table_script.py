"""Totals, a workbook and a chart from one table: a program of its own, which runs inside the machine.

It imports nothing of ours and needs only the standard library; with openpyxl and matplotlib the results are nicer.
Usage: table_script.py TABLE --to FOLDER --name NAME --wish TEXT [--only TEXT ...]
The last line it prints is "TABLE " and a JSON object with what it did.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import re
import struct
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple

MEASURES = r"amount|revenue|total|sales|value|turnover|umsatz|betrag|price|cost|spend|budget|hours|qty|quantity|units"
NO_MEASURE = r"(^|[\W_])(id|nr|no|number|zip|postcode|plz|year|jahr|phone|week)($|[\W_])"
NEGATION = r"\b(without|except|excluding|exclude|ohne|not|no|drop|leave out)\b"
LIMITING = rf"\b(only|just|nur|use|keep|filter|where|in)\b|{NEGATION}"
COMPARISON = r"(over|above|more than|at least|>=?|under|below|less than|at most|<=?)\s*([\d][\d.,]*)\s*(k|m)?\b"
MOST_GROUPS = 12


class Table(NamedTuple):
    """A header and its rows, all text, every row as long as the header."""

    header: list[str]
    rows: list[list[str]]

    def column(self, at: int) -> list[str]:
        """One column's cells."""
        return [row[at] for row in self.rows]


class Group(NamedTuple):
    """One line of the summary."""

    name: str
    total: float
    rows: int


class Missing(Exception):
    """The table can't be read; the text says why."""


def optional(name: str) -> Any:
    """A library where it is installed, else None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def read(path: Path) -> Table:
    """The first table of a CSV, TSV or Excel file."""
    raw = _excel(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _delimited(path)
    rows = [[str(cell).strip() for cell in row] for row in raw]
    rows = [row for row in rows if any(row)]
    if len(rows) < 2:
        raise Missing(f"{path.name} has no rows below a header")
    width = len(rows[0])
    header = [name or f"column {at + 1}" for at, name in enumerate(rows[0])]
    return Table(header, [(row + [""] * width)[:width] for row in rows[1:]])


def _delimited(path: Path) -> list[list[str]]:
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    csv.field_size_limit(10_000_000)
    return list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))


def _excel(path: Path) -> list[list[Any]]:
    openpyxl = optional("openpyxl")
    if openpyxl is None:
        raise Missing("this machine has no openpyxl, so Excel files can't be read here; save it as CSV")
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    for sheet in book.worksheets:
        rows = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
        if len(rows) > 1:
            return rows
    raise Missing(f"{path.name} has no sheet with rows")


def number(text: str) -> float | None:
    """'1,234.50', '1.234,50', '€ 12', '(3)', '12 %' as a number; None for anything else."""
    bare = re.sub(r"[\s\u00a0'%€$£¥]|\b(EUR|USD|GBP|CHF)\b", "", text)
    negative = bare.startswith("(") and bare.endswith(")")
    bare = bare.strip("()")
    if not re.fullmatch(r"[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?", bare, re.IGNORECASE):
        return None
    if "," in bare and "." in bare:
        grouping = "," if bare.rindex(".") > bare.rindex(",") else "."
        bare = bare.replace(grouping, "")
    elif re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+", bare) or bare.count(",") > 1:
        bare = bare.replace(",", "")
    elif bare.count(".") > 1:
        bare = bare.replace(".", "")
    try:
        value = float(bare.replace(",", "."))
    except ValueError:
        return None
    return -value if negative else value


def numeric(table: Table) -> list[int]:
    """The columns that hold numbers, for at least four cells of five."""
    found: list[int] = []
    for at in range(len(table.header)):
        cells = [cell for cell in table.column(at) if cell]
        if cells and sum(number(cell) is not None for cell in cells) >= 0.8 * len(cells):
            found.append(at)
    return found


def mentioned(table: Table, columns: list[int], wishes: list[str]) -> int | None:
    """The column a wish names, the newest wish first and the longest name first."""
    for wish in reversed(wishes):
        for at in sorted(columns, key=lambda at: -len(table.header[at])):
            name = re.sub(r"[_\s]+", r"[_\\s]+", re.escape(table.header[at].casefold()).replace(r"\ ", " "))
            if re.search(rf"(?<!\w){name}s?(?!\w)", wish.casefold()):
                return at
    return None


def measure(table: Table, wishes: list[str]) -> int | None:
    """The column to add up; None: count rows."""
    columns = [at for at in numeric(table) if not re.search(NO_MEASURE, table.header[at], re.IGNORECASE)]
    named = mentioned(table, columns, wishes)
    if named is not None:
        return named
    for wish in reversed(wishes):
        for currency in re.findall(r"\b(EUR|USD|GBP|CHF)\b", wish, re.IGNORECASE):
            fitting = [at for at in columns if currency.casefold() in table.header[at].casefold()]
            if fitting:
                return fitting[0]
    likely = [at for at in columns if re.search(MEASURES, table.header[at], re.IGNORECASE)]
    return (likely or columns[-1:] or [None])[0]


def grouping(table: Table, wishes: list[str]) -> int | None:
    """The column to group by: the one a wish names, else the first text column with few different values."""
    numbers = numeric(table)
    texts = [at for at in range(len(table.header)) if at not in numbers]
    named = mentioned(table, texts, wishes)
    if named is None:
        named = mentioned(table, numbers, [part for wish in wishes for part in re.findall(r"\b(?:by|per) .*", wish)])
    if named is not None:
        return named
    few = [at for at in texts if 1 < len(set(table.column(at))) <= max(2, min(30, len(table.rows) // 2))]
    return (few or texts or [None])[0]


def narrowed(table: Table, wish: str, of: int | None) -> tuple[Table, str]:
    """The rows that a wish like 'only blue ones' leaves, and a note on what was done; "" when nothing matched."""
    rows = table.rows
    said: list[str] = []
    bound = re.search(COMPARISON, wish, re.IGNORECASE)
    if bound and of is not None:
        limit = (number(bound[2]) or 0.0) * {"k": 1e3, "m": 1e6}.get((bound[3] or "").lower(), 1.0)
        up = bound[1].lower() in ("over", "above", "more than", "at least", ">", ">=")
        loose = bound[1].lower() in ("at least", "at most", ">=", "<=")
        rows = [row for row in rows if _within(number(row[of]), limit, up, loose)]
        said.append(f"{table.header[of]} {bound[1].lower()} {bound[2]}{bound[3] or ''}")
    numbers = numeric(table)
    for at, name in enumerate(table.header):
        hits = [] if at in numbers else _values_in(sorted(set(table.column(at))), wish)
        if hits:
            negated = bool(re.search(NEGATION, wish[: wish.casefold().find(hits[0].casefold())], re.IGNORECASE))
            rows = [row for row in rows if (row[at] in hits) is not negated]
            said.append(f"{name} {'is not' if negated else 'is'} {' or '.join(hits)}")
    return Table(table.header, rows), " and ".join(said)


def _chose(table: Table, wish: str, of: int | None) -> bool:
    """Whether a wish that filters nothing named a column instead, or the measure's currency."""
    if mentioned(table, list(range(len(table.header))), [wish]) is not None:
        return True
    currencies = re.findall(r"\b(eur|usd|gbp|chf)\b", wish.casefold())
    return of is not None and any(currency in table.header[of].casefold() for currency in currencies)


def _values_in(values: list[str], wish: str) -> list[str]:
    text = wish.casefold()
    near = (value for value in values if value and value.casefold() in text)
    return [value for value in near if re.search(rf"(?<!\w){re.escape(value.casefold())}s?(?!\w)", text)]


def _within(value: float | None, limit: float, up: bool, loose: bool) -> bool:
    if value is None:
        return False
    return (loose and value == limit) or (value > limit if up else value < limit)


def summed(table: Table, by: int | None, of: int | None) -> list[Group]:
    """The groups, the largest first."""
    totals: dict[str, list[float]] = {}
    for row in table.rows:
        value = 1.0 if of is None else number(row[of])
        name = "all rows" if by is None else row[by] or "(empty)"
        totals.setdefault(name, []).append(value or 0.0)
    groups = [Group(name, round(sum(values), 6), len(values)) for name, values in totals.items()]
    return sorted(groups, key=lambda group: (-group.total, group.name))


def write_workbook(path: Path, table: Table, groups: list[Group], titles: tuple[str, str]) -> Path:
    """A workbook with a summary sheet and the rows behind it; a CSV where openpyxl is missing."""
    openpyxl = optional("openpyxl")
    if openpyxl is None:
        path = path.with_suffix(".csv")
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([(*titles, "rows"), *((_plain(g.name), g.total, g.rows) for g in groups)])
        return path
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Summary"
    _fill(sheet, [[*titles, "rows"], *([g.name, g.total, g.rows] for g in groups)])
    last = len(groups) + 1
    _fill(sheet, [["Total", sum(g.total for g in groups), sum(g.rows for g in groups)]])
    chart_module: Any = importlib.import_module("openpyxl.chart")
    chart = chart_module.BarChart()
    chart.title, chart.legend = f"{titles[1]} by {titles[0]}", None
    chart.add_data(chart_module.Reference(sheet, min_col=2, min_row=2, max_row=last))
    chart.set_categories(chart_module.Reference(sheet, min_col=1, min_row=2, max_row=last))
    sheet.add_chart(chart, "E2")
    data = book.create_sheet("Data")
    numbers = set(numeric(table))
    cells = ([_cell(cell, at in numbers) for at, cell in enumerate(row)] for row in table.rows[:200_000])
    _fill(data, [table.header, *cells])
    book.save(path)
    return path


def _fill(sheet: Any, rows: list[list[Any]]) -> None:
    """Append rows; text stays text, also where it begins like a formula."""
    for row in rows:
        sheet.append(row)
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"


def _cell(text: str, is_number: bool) -> str | float:
    value = number(text) if is_number else None
    return text if value is None else value


def _plain(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@" else text


def write_chart(path: Path, groups: list[Group], title: str) -> str:
    """A bar chart as PNG. Returns a note when it had to be a plain one."""
    shown = groups[:MOST_GROUPS]
    if optional("matplotlib") is None:
        path.write_bytes(plain_bars([group.total for group in shown]))
        return "the chart has bars only, because this machine has no matplotlib"
    importlib.import_module("matplotlib").use("Agg")
    plot: Any = importlib.import_module("matplotlib.pyplot")
    figure, axes = plot.subplots(figsize=(8, 0.5 * len(shown) + 1.5), layout="constrained")
    names = [group.name.replace("$", r"\$")[:40] for group in reversed(shown)]
    bars = axes.barh(range(len(shown)), [group.total for group in reversed(shown)], tick_label=names)
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set_title(title.replace("$", r"\$"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    figure.savefig(path, dpi=120)
    return ""


def plain_bars(values: list[float]) -> bytes:
    """A PNG of horizontal bars, 640 pixels wide, with nothing but the standard library."""
    most = max([abs(value) for value in values] or [0]) or 1.0
    blank = b"\0" + b"\xff\xff\xff" * 640
    lines: list[bytes] = [blank] * 10
    for value in values:
        long = max(1, round(600 * abs(value) / most))
        bar = b"\0" + b"\xff\xff\xff" * 20 + b"\x2f\x6f\xb7" * long + b"\xff\xff\xff" * (620 - long)
        lines += [bar] * 24 + [blank] * 10
    head = struct.pack(">IIBBBBB", 640, len(lines), 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b""))
    chunks = (struct.pack(">I", len(data)) + k + data + struct.pack(">I", zlib.crc32(k + data)) for k, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def work(path: Path, to: Path, name: str, wish: str, only: list[str]) -> dict[str, Any]:
    """Do it all. Returns what the answer needs."""
    whole = read(path)
    wishes = [wish, *only]
    of, by = measure(whole, wishes), grouping(whole, wishes)
    table = whole
    filters: list[str] = []
    notes: list[str] = []
    for text in [*([wish] if re.search(LIMITING, wish, re.IGNORECASE) else []), *only]:
        table, did = narrowed(table, text, of)
        if did:
            filters.append(did)
        elif text is not wish and not _chose(whole, text, of):
            notes.append(f'nothing in the data matches "{text}", so it changed nothing')
    groups = summed(table, by, of)
    titles = ("" if by is None else whole.header[by], "rows" if of is None else whole.header[of])
    to.mkdir(parents=True, exist_ok=True)
    made: dict[str, str] = {}
    if groups:
        made["workbook"] = str(write_workbook(to / f"{name}-summary.xlsx", table, groups, titles))
        chart = to / f"{name}-chart.png"
        notes.append(write_chart(chart, groups, f"{titles[1]} by {titles[0]}" if by is not None else titles[1]))
        made["chart"] = str(chart)
    return {
        "rows": len(whole.rows),
        "used": len(table.rows),
        "by": titles[0],
        "of": titles[1],
        "total": round(sum(group.total for group in groups), 6),
        "groups": groups[:MOST_GROUPS],
        "more": max(0, len(groups) - MOST_GROUPS),
        "filters": filters,
        "notes": [note for note in notes if note],
        **made,
    }


def main() -> int:
    """Read the arguments, work, print the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--wish", default="")
    parser.add_argument("--only", action="append", default=[])
    given = parser.parse_args()
    try:
        done = work(given.table, given.to, given.name, given.wish, given.only)
    except (Missing, OSError, ValueError, KeyError) as error:
        done = {"error": str(error) or type(error).__name__}
    sys.stdout.write(f"TABLE {json.dumps(done, ensure_ascii=False)}\n")
    return 1 if "error" in done else 0


if __name__ == "__main__":
    sys.exit(main())
