"""What holds for every test: made-up examples are the same each time and have no time limit of their own."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True, max_examples=60, database=None)
settings.load_profile("house")
