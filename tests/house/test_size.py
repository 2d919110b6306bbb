"""Files and functions that one can read at a sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import ALL, name, python_files, tree

FILE, FUNCTION, PARAMETERS = 400, 40, 5

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the end, without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def parameters(function: Function) -> int:
    """How many there are, without self and cls."""
    given = function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([found for found in names if found not in ("self", "cls")])


def test_no_file_is_longer_than_400_lines() -> None:
    counted = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*ALL)}
    assert {path: lines for path, lines in counted.items() if lines > FILE} == {}


def test_every_function_is_shorter_than_40_lines() -> None:
    counted = {
        f"{name(path)}:{function.lineno} {function.name}": length(function)
        for path in python_files(*ALL)
        for function in functions(path)
    }
    assert {where: lines for where, lines in counted.items() if lines >= FUNCTION} == {}


def test_no_function_takes_more_than_5_parameters() -> None:
    counted = {
        f"{name(path)}:{function.lineno} {function.name}": parameters(function)
        for path in python_files(*ALL)
        for function in functions(path)
    }
    assert {where: number for where, number in counted.items() if number > PARAMETERS} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [name(path) for path in python_files(*ALL) if tree(path).body and not ast.get_docstring(tree(path))]
    assert silent == []
