import random
from math import log

import pytest

from platform_assets.analytics.insights.decomposition import FACTORS, contributions, decompose

Period = dict[str, float]


def period(buyers: float, orders: float, units: float, net: float) -> Period:
    return {"buyers": buyers, "orders": orders, "units": units, "net_amount": net}


def test_one_factor_alone_has_the_whole_change() -> None:
    found = decompose(period(10, 20, 40, 400), period(10, 20, 40, 300))

    assert found.effects == pytest.approx(
        {"buyers": 0, "orders_per_buyer": 0, "units_per_order": 0, "price_per_unit": -100}
    )


def test_two_factors_share_the_change_by_their_logarithms() -> None:
    # twice the buyers, half as dear again: net sales times three
    found = decompose(period(10, 10, 10, 100), period(20, 20, 20, 300))

    assert found.method == "LMDI"
    assert found.effects["buyers"] == pytest.approx(200 * log(2) / log(3))
    assert found.effects["price_per_unit"] == pytest.approx(200 * log(1.5) / log(3))


def test_the_effects_are_the_whole_change_to_nine_digits() -> None:
    chance = random.Random(5)
    for _ in range(500):
        before, after = (
            period(chance.uniform(1, 1e3), chance.uniform(1, 1e3), chance.uniform(1, 1e3), chance.uniform(1, 1e6))
            for _ in range(2)
        )
        found = decompose(before, after)
        assert found.method == "LMDI"
        assert abs(found.residual) < 1e-9 * max(1.0, found.before, found.after)


def test_going_back_in_time_turns_the_signs() -> None:
    first, second = period(7, 9, 30, 200), period(11, 12, 25, 260)

    there, back = decompose(first, second), decompose(second, first)

    assert there.effects == pytest.approx({name: -effect for name, effect in back.effects.items()})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (period(0, 0, 0, 0), period(5, 6, 7, 80)),
        (period(5, 6, 7, 80), period(0, 0, 0, 0)),
        (period(0, 0, 0, 0), period(0, 0, 0, 0)),
        (period(5, 6, 7, 80), period(5, 6, 7, -20)),
        (period(5, 6, 7, 80), period(0, 0, 0, -20)),
        (period(5, 6, 0, 80), period(5, 7, 0, 90)),
        (period(5, 6, 0, 80), period(5, 7, 9, 90)),
        (period(0, 0, 0, -5), period(0, 0, 0, -9)),
    ],
)
def test_zero_and_negative_cells_close_too(before: Period, after: Period) -> None:
    found = decompose(before, after)

    assert found.residual == pytest.approx(0, abs=1e-9)
    assert found.after - found.before == after["net_amount"] - before["net_amount"]
    assert tuple(found.effects) == FACTORS


def test_what_appears_is_all_new_buyers() -> None:
    found = decompose(period(0, 0, 0, 0), period(5, 10, 20, 80))

    assert found.method == "Shapley"
    assert found.effects["buyers"] == pytest.approx(80)


def test_contributions_add_up_to_the_change_and_their_parts_to_them() -> None:
    chance = random.Random(2)
    segments = {
        f"s{place}": tuple(
            {"units": float(chance.randrange(50)), "net_amount": chance.uniform(0, 900)} for _ in range(2)
        )
        for place in range(20)
    }

    found = contributions(segments)  # type: ignore[arg-type]

    change = sum(pair[1]["net_amount"] - pair[0]["net_amount"] for pair in segments.values())
    assert sum(one.difference for one in found) == pytest.approx(change, abs=1e-9)
    for one in found:
        assert one.volume + one.mix + one.rate == pytest.approx(one.difference, abs=1e-9)
    assert sum(one.share for one in found) == pytest.approx(1)
    assert sum(one.unexpected for one in found) == pytest.approx(0, abs=1e-9)


def test_volume_mix_and_rate_are_told_apart() -> None:
    def of(units: float, net: float) -> Period:
        return {"units": units, "net_amount": net}

    volume = contributions({"a": (of(10, 100), of(20, 200)), "b": (of(10, 50), of(20, 100))})
    rate = contributions({"a": (of(10, 100), of(10, 80)), "b": (of(10, 50), of(10, 50))})
    mix = contributions({"a": (of(10, 100), of(15, 150)), "b": (of(10, 50), of(5, 25))})

    assert [(one.segment, one.volume, one.mix, one.rate) for one in volume] == [("a", 100, 0, 0), ("b", 50, 0, 0)]
    assert (rate[0].segment, rate[0].rate, rate[0].mix) == ("a", -20, 0)
    assert [(one.segment, one.mix, one.rate) for one in mix] == [("a", 50, 0), ("b", -25, 0)]


def test_a_segment_that_moves_like_the_whole_is_no_surprise() -> None:
    halved = {
        name: ({"units": 10.0, "net_amount": net}, {"units": 5.0, "net_amount": net / 2})
        for name, net in (("a", 100.0), ("b", 50.0))
    }

    assert [one.unexpected for one in contributions(halved)] == [0, 0]
