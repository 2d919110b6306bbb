"""The rehearsal model: a small, honest, rule-based stand-in for where no model is connected.

It reads the same context and drives the same loop, tools and policy on real input as a model would; it only does
not understand anything beyond a few plain requests, and says so.
"""

from __future__ import annotations

from bot.models.rehearsal.model import Rehearsal

__all__ = ["Rehearsal"]
