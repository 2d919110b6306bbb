"""Prices: known families, dated snapshots, overrides, and honest ignorance."""

from __future__ import annotations

import pytest

from bot.models.prices import LONG, Price, price_of


def test_a_dated_snapshot_costs_what_its_family_does() -> None:
    assert price_of("gpt-5-2025-08-07", {}, official=True) == price_of("gpt-5", {}, official=True)
    assert price_of("gpt-5", {}, official=True) is not None


@pytest.mark.parametrize("name", ["gpt-5-ultra", "gpt-6.1", "llama-3", "", "gpt-5-mini-fast"])
def test_a_model_nobody_listed_has_no_price(name: str) -> None:
    assert price_of(name, {}, official=True) is None


def test_another_server_never_has_openais_prices() -> None:
    assert price_of("gpt-5", {}, official=False) is None


def test_settings_override_the_table_and_give_other_servers_prices() -> None:
    mine = {"gpt-5": Price(1, 0, 2), "local": Price(0, 0, 0)}
    assert price_of("gpt-5", mine, official=True) == Price(1, 0, 2)
    assert price_of("local", mine, official=False) == Price(0, 0, 0)


def test_cached_tokens_are_part_of_the_input_and_cheaper() -> None:
    assert Price(2.0, 0.5, 8.0).cost(1_000_000, 400_000, 100_000) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.8)


def test_tokens_written_to_the_cache_have_their_own_rate() -> None:
    assert Price(2.0, 0.2, 10.0, 2.5).cost(1000, 200, 0, 300) == pytest.approx((500 * 2 + 200 * 0.2 + 300 * 2.5) / 1e6)


def test_a_long_context_costs_twice_for_input_and_half_more_for_output() -> None:
    price = Price(1.0, 0.1, 2.0, long=True)
    assert price.cost(LONG, 0, 0) == pytest.approx(LONG / 1e6)
    assert price.cost(LONG + 1, 0, 1000) == pytest.approx(((LONG + 1) * 2 + 1000 * 3) / 1e6)


def test_nonsense_counts_never_make_a_negative_cost() -> None:
    assert Price(1, 1, 1).cost(-5, 10, -3, 7) == 0
    assert Price(1, 0, 0).cost(10, 50, 0, 50) == 0
