"""Numbers as they are printed: medians and percentiles of what was measured, ratios against the peer."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def line(name: str, values: Sequence[float], unit: str = "ms", scale: float = 1000.0) -> str:
    """'name: median 4.1 ms, p95 9.0 ms, worst 12.2 ms (200)'."""
    return (
        f"{name}: median {statistics.median(values) * scale:.1f} {unit}, p95 {percentile(values, 0.95) * scale:.1f}, "
        f"worst {max(values) * scale:.1f} ({len(values)})"
    )
