"""PDFs and office files as text, read in the session's machine: a hostile file meets no program of the host."""

from __future__ import annotations

from .reader import FileText
from .types import Machine, MachineError

PLACE = ".cache/threadhand/page"
SECONDS = 60.0
WORD = """
from docx import Document
document = Document(path)
for one in document.iter_inner_content():
    if hasattr(one, 'rows'):
        for row in one.rows:
            print(' | '.join(cell.text.replace(chr(10), ' ') for cell in row.cells))
    else:
        level = one.style.name.removeprefix('Heading ') if one.style.name.startswith('Heading ') else ''
        print(('#' * int(level) + ' ' if level.isdigit() else '') + one.text)
"""
EXCEL = """
from openpyxl import load_workbook
for sheet in load_workbook(path, read_only=True, data_only=True):
    print(f'## {sheet.title}')
    for row in sheet.iter_rows(values_only=True):
        if any(value is not None for value in row):
            print(' | '.join('' if value is None else str(value) for value in row))
"""
POWERPOINT = """
from pptx import Presentation
for number, slide in enumerate(Presentation(path).slides, 1):
    print(f'## Slide {number}')
    for shape in slide.shapes:
        if shape.has_text_frame:
            print(shape.text_frame.text)
        if getattr(shape, 'has_table', False) and shape.has_table:
            for row in shape.table.rows:
                print(' | '.join(cell.text for cell in row.cells))
"""
PROGRAMS = {"docx": WORD, "xlsx": EXCEL, "pptx": POWERPOINT}


def machine_text(machine: Machine) -> FileText:
    """How that machine reads files."""

    async def text(kind: str, body: bytes) -> str:
        place = f"{PLACE}.{kind}"
        await machine.write(place, body)
        command = f"pdftotext -layout {place} -"
        if kind in PROGRAMS:
            await machine.write(f"{PLACE}.py", f"path = {place!r}{PROGRAMS[kind]}".encode())
            command = f"python3 {PLACE}.py"
        pieces = bytearray()
        result = await machine.exec(command, timeout=SECONDS, on_output=pieces.extend)
        if result.exit_code != 0:
            raise MachineError(f"{command.split()[0]} could not read it: {result.text[-300:]}")
        return bytes(pieces).decode("utf-8", "replace")

    return text
