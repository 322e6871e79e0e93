import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import narwhals as nw
import pyarrow as pa
import pytest

from platform_assets.analytics.rfm.edges import FIXED_FREQUENCY_EDGES, RfmEdges, rfm_edges
from platform_assets.analytics.rfm.scores import SCORES_SCHEMA, customer_measures, prospects, rfm_scores
from platform_assets.analytics.rfm.segments import segment_map, segment_summary
from platform_assets.engines.engine import INSTANT, MONEY, Engine, Frame, conformed

AS_OF = date(2024, 6, 30)
Line = Mapping[str, Any]
SALES = pa.schema(
    [("customer_id", pa.string()), ("sold_at", INSTANT), ("net_amount", MONEY), ("is_return", pa.bool_())]
)
MEASURES = pa.schema(
    [
        ("customer_id", pa.string()),
        ("last_order_date", pa.date32()),
        ("days_since_last", pa.int64()),
        ("frequency", pa.int64()),
        ("monetary_amount", MONEY),
        ("_rank", pa.int64()),
    ]
)


def line(customer: str | None, days_ago: int, amount: str = "10", *, hour: int = 12, returned: bool = False) -> Line:
    sold_at = datetime(AS_OF.year, AS_OF.month, AS_OF.day, hour) - timedelta(days=days_ago)
    return {"customer_id": customer, "sold_at": sold_at, "net_amount": Decimal(amount), "is_return": returned}


def sales(engine: Engine, lines: Sequence[Line]) -> Frame:
    return engine.from_arrow(pa.Table.from_pylist(list(lines), SALES))


def measured(
    engine: Engine, lines: Sequence[Line], as_of: date = AS_OF, window_days: int | None = None
) -> dict[str, tuple[int, int, Decimal]]:
    """Days since the last order, frequency and money, by customer."""
    rows = engine.collect(customer_measures(sales(engine, lines), as_of, window_days)).to_pylist()
    return {row["customer_id"]: (row["days_since_last"], row["frequency"], row["monetary_amount"]) for row in rows}


def measures(engine: Engine, customers: Sequence[tuple[str, int, int, str]]) -> Frame:
    """Customers with the measures given."""
    rows = [
        {
            "customer_id": name,
            "last_order_date": AS_OF - timedelta(days=days),
            "days_since_last": days,
            "frequency": frequency,
            "monetary_amount": Decimal(money),
            "_rank": -days,
        }
        for name, days, frequency, money in customers
    ]
    return engine.from_arrow(pa.Table.from_pylist(rows, MEASURES))


def scored(engine: Engine, frame: Frame, edges: RfmEdges | None = None) -> dict[str, dict[str, Any]]:
    edges = edges or rfm_edges(frame, engine)
    rows = engine.collect(conformed(rfm_scores(frame, edges, AS_OF), SCORES_SCHEMA)).to_pylist()
    return {row["customer_id"]: row for row in rows}


def cells(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: row["rfm_cell"] for name, row in rows.items()}


def crowd(customers: int = 40) -> list[tuple[str, int, int, str]]:
    chance = random.Random(7)
    return [
        (f"c{n}", chance.randrange(300), 2 + chance.randrange(12), str(chance.randrange(1, 500)))
        for n in range(customers)
    ]


# The segments


def test_the_eleven_segments_share_all_125_cells_as_published() -> None:
    assert {name: len(of) for name, of in segment_map().items()} == {
        "Champions": 7,
        "Loyal": 8,
        "Potential Loyalist": 24,
        "New": 7,
        "Promising": 16,
        "Need Attention": 8,
        "About To Sleep": 8,
        "At Risk": 22,
        "Cannot Lose": 8,
        "Hibernating": 11,
        "Lost": 6,
    }
    every = Counter(cell for of in segment_map().values() for cell in of)
    assert every == Counter("".join(scores) for scores in product("12345", repeat=3))


@pytest.mark.parametrize(
    ("cell", "segment"),
    [("555", "Champions"), ("111", "Lost"), ("155", "Cannot Lose"), ("511", "New"), ("333", "Potential Loyalist")],
)
def test_well_known_cells_are_in_their_segments(cell: str, segment: str) -> None:
    assert cell in segment_map()[segment]


# The measures


def test_days_with_an_order_are_the_frequency_and_returns_are_taken_off_the_money(engine: Engine) -> None:
    lines = [
        line("a", 10, "20"),
        line("a", 10, "5", hour=20),
        line("a", 3, "10"),
        line("a", 1, "-7", returned=True),
        line(None, 0),
    ]

    assert measured(engine, lines) == {"a": (3, 2, Decimal(28))}


def test_a_sale_on_the_day_itself_is_no_day_old_and_later_ones_do_not_count(engine: Engine) -> None:
    lines = [line("a", 0, hour=23), line("a", -1, hour=0), line("b", -1)]

    assert measured(engine, lines) == {"a": (0, 1, Decimal(10))}


def test_a_customer_with_nothing_but_returns_has_never_ordered(engine: Engine) -> None:
    assert measured(engine, [line("a", 3, "-5", returned=True)]) == {}


def test_frequency_and_money_look_back_so_many_days_and_recency_looks_back_for_ever(engine: Engine) -> None:
    lines = [line("a", 9, hour=0), line("a", 10, "100"), line("old", 400), line("b", 0)]

    assert measured(engine, lines, window_days=10) == {
        "a": (9, 1, Decimal(10)),
        "old": (400, 0, Decimal(0)),
        "b": (0, 1, Decimal(10)),
    }


def test_moving_all_sales_and_the_day_alike_changes_nothing(engine: Engine) -> None:
    chance = random.Random(3)
    lines = [line(f"c{chance.randrange(8)}", chance.randrange(500), str(chance.randrange(1, 90))) for _ in range(60)]
    shift = timedelta(days=1000)
    later = [{**one, "sold_at": one["sold_at"] + shift} for one in lines]

    assert measured(engine, later, AS_OF + shift, 365) == measured(engine, lines, AS_OF, 365)


def test_orders_are_counted_within_their_dataset_and_a_line_without_a_number_is_one(engine: Engine) -> None:
    numbers = [("shop", "1"), ("shop", "1"), ("market", "1"), ("shop", None), ("shop", None)]
    lines = [
        {**line("a", 1), "source_system": system, "order_id": number, "_source_file": "f.csv", "_source_row": row}
        for row, (system, number) in enumerate(numbers)
    ]
    texts = [(name, pa.string()) for name in ("source_system", "order_id", "_source_file")]
    schema = pa.schema([*SALES, *texts, ("_source_row", pa.int64())])

    frame = customer_measures(engine.from_arrow(pa.Table.from_pylist(lines, schema)), AS_OF, None, "orders")

    assert engine.collect(frame)["frequency"].to_pylist() == [4]


# The prospects


def test_known_customers_without_an_order_up_to_the_day_are_prospects(engine: Engine) -> None:
    names = ["bought", "returned only", "buys later", "never", None, "never"]
    known = engine.from_arrow(pa.table({"customer_id": pa.array(names, pa.string())}))
    lines = [line("bought", 3), line("returned only", 3, "-5", returned=True), line("buys later", -1)]

    bought = customer_measures(sales(engine, lines), AS_OF, None)
    frame = prospects(known, rfm_scores(bought, rfm_edges(bought, engine), AS_OF), AS_OF)

    rows = sorted(engine.collect(frame).to_pylist(), key=lambda row: str(row["customer_id"]))
    assert [row["customer_id"] for row in rows] == ["buys later", "never", "returned only"]
    nothing = dict.fromkeys(SCORES_SCHEMA.names)
    told = {"as_of_date": AS_OF, "frequency": 0, "monetary_amount": Decimal(0), "segment": "Prospects"}
    assert rows[1] == {**nothing, **told, "customer_id": "never"}


def test_prospects_are_counted_in_the_summary_and_have_no_share(engine: Engine) -> None:
    known = engine.from_arrow(pa.table({"customer_id": ["a", "b", "c"]}))
    bought = measures(engine, [("a", 1, 2, "10")])
    scores = rfm_scores(bought, rfm_edges(bought, engine), AS_OF)
    every = [scores, prospects(known, scores, AS_OF)]

    table = segment_summary(engine.concat(every, SCORES_SCHEMA), engine).to_pylist()

    assert sum(row["customer_share"] or 0 for row in table) == 1
    assert table[-1]["segment"] == "Prospects"
    assert (table[-1]["customers"], table[-1]["customer_share"], table[-1]["revenue_share"]) == (2, None, None)


# The scores


def test_five_customers_in_five_steps_get_the_five_scores(engine: Engine) -> None:
    # the edges of five values are the values at places 1, 2, 3 and 4, counted from 0
    steps = [(f"c{n}", 50 - 10 * n, n + 2, str(n * 10)) for n in range(5)]

    assert cells(scored(engine, measures(engine, steps))) == {
        "c0": "111",
        "c1": "222",
        "c2": "333",
        "c3": "444",
        "c4": "555",
    }


def test_equal_customers_have_equal_scores_whatever_the_order(engine: Engine) -> None:
    people = [*crowd(), *[(f"twin{n}", 20, 4, "100") for n in range(15)]]
    turned = random.Random(1).sample(people, len(people))

    first, second = (scored(engine, measures(engine, rows)) for rows in (people, turned))

    assert cells(first) == cells(second)
    assert len({row["rfm_cell"] for name, row in first.items() if name.startswith("twin")}) == 1


def test_a_later_day_without_new_sales_changes_no_score(engine: Engine) -> None:
    people = crowd()
    older = [(name, days + 45, frequency, money) for name, days, frequency, money in people]

    assert cells(scored(engine, measures(engine, people))) == cells(scored(engine, measures(engine, older)))


@pytest.mark.parametrize(("measure", "score"), [(1, "recency_score"), (2, "frequency_score"), (3, "monetary_score")])
def test_a_better_customer_never_scores_less(engine: Engine, measure: int, score: str) -> None:
    people = crowd(60)
    rows = scored(engine, measures(engine, people))
    worth = {one[0]: -one[1] if measure == 1 else int(one[measure]) for one in people}

    ordered = [rows[name][score] for name in sorted(worth, key=lambda name: (worth[name], rows[name][score]))]

    assert ordered == sorted(ordered)
    assert set(ordered) == {1, 2, 3, 4, 5}


def test_where_most_ordered_once_the_frequency_has_fixed_edges(engine: Engine) -> None:
    people = [(f"once{n}", n, 1, str(n)) for n in range(5)] + [(f"more{f}", f, f, "1") for f in (2, 3, 4, 5, 8, 9, 20)]
    frame = measures(engine, people)

    edges, rows = rfm_edges(frame, engine), scored(engine, frame)

    assert edges.frequency == FIXED_FREQUENCY_EDGES == (2, 3, 5, 9)
    scores = {name: row["frequency_score"] for name, row in rows.items() if not name.startswith("once")}
    assert scores == {"more2": 2, "more3": 3, "more4": 3, "more5": 4, "more8": 4, "more9": 5, "more20": 5}
    assert {row["frequency_score"] for name, row in rows.items() if name.startswith("once")} == {1}


def test_exactly_two_fifths_with_one_order_still_leave_quantiles(engine: Engine) -> None:
    people = [(f"once{n}", n, 1, "1") for n in range(4)] + [(f"more{n}", n, 4, "1") for n in range(6)]

    # ten values: places 2, 4, 6 and 8 rounded up from 1.8, 3.6, 5.4 and 7.2
    assert rfm_edges(measures(engine, people), engine).frequency == (1, 4, 4, 4)


def test_levels_say_how_many_scores_a_measure_can_give() -> None:
    edges = RfmEdges(
        recency=(1, 2, 3, 4), frequency=(2, 2, 2, 2), monetary=(Decimal(1), Decimal(1), Decimal(2), Decimal(3))
    )

    assert edges.levels() == {"recency": 5, "frequency": 2, "monetary": 4}


def test_without_customers_there_are_no_edges_and_no_scores(engine: Engine) -> None:
    frame = measures(engine, [])

    assert rfm_edges(frame, engine) == RfmEdges((), (), ())
    assert scored(engine, frame) == {}


def test_every_scored_customer_is_in_the_segment_of_its_cell(engine: Engine) -> None:
    rows = scored(engine, measures(engine, crowd(80)))

    assert all(row["rfm_cell"] in segment_map()[row["segment"]] for row in rows.values())
    assert {row["as_of_date"] for row in rows.values()} == {AS_OF}


# The summary


def test_the_summary_has_every_segment_and_its_shares_are_of_the_whole(engine: Engine) -> None:
    edges = RfmEdges(
        recency=(-40, -30, -20, -10), frequency=(2, 3, 4, 5), monetary=tuple(map(Decimal, (10, 20, 30, 40)))
    )
    people = [("best", 0, 9, "90"), ("good", 5, 5, "60"), ("lost", 99, 1, "0.01"), ("gone", 50, 1, "5.0001")]
    frame = conformed(rfm_scores(measures(engine, people), edges, AS_OF), SCORES_SCHEMA)

    table = segment_summary(frame, engine).to_pylist()

    found = {row["segment"]: row for row in table}
    assert list(found) == [*segment_map(), "Prospects"]
    assert {name: row["customers"] for name, row in found.items() if row["customers"]} == {"Champions": 2, "Lost": 2}
    assert found["Champions"] == {
        "segment": "Champions",
        "customers": 2,
        "customer_share": 0.5,
        "revenue_amount": Decimal(150),
        "revenue_share": pytest.approx(150 / 155.0101),
        "avg_days_since_last": 2.5,
        "avg_frequency": 7.0,
        "avg_monetary_amount": Decimal(75),
    }
    assert found["Lost"]["avg_monetary_amount"] == Decimal("2.5050")  # 2.50505 to the even neighbour
    assert found["New"]["avg_frequency"] is None


def test_a_summary_of_nobody_has_twelve_empty_segments(engine: Engine) -> None:
    empty = engine.from_arrow(SCORES_SCHEMA.empty_table()).with_columns(nw.col("customer_id"))

    assert [row["customers"] for row in segment_summary(empty, engine).to_pylist()] == [0] * 12
