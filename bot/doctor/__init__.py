"""Looks at a deployment and says what is there, what is missing, and how to get it: `threadhand check`."""

from bot.doctor.examine import PARTS, examine
from bot.doctor.finding import Finding

__all__ = ["PARTS", "Finding", "examine"]
