"""The list of known values is a setting: cells are conformed to it, and what is not on it breaks the rule."""

from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine
from platform_assets_tests.frames import staged_rows

RETAIL = CONTRACTS["retail_analytics"]


def test_a_deployment_s_own_channels_replace_those_of_the_contract(engine: Engine) -> None:
    own = RETAIL.with_vocabulary("channel", ("Web Shop", "Branch"))
    line = {"customer_id": "1", "purchase_date": "2024-01-05", "amount_spent": "10.00"}
    rows = staged_rows(engine, own, [{**line, "channel": text} for text in ("web shop ", "BRANCH", "Store")])
    assert [row["channel"] for row in rows] == ["Web Shop", "Branch", "Store"]
    assert [row["_breaks_channel_known"] for row in rows] == [False, False, True]


def test_other_values_stage_every_file_again() -> None:
    assert fingerprint(RETAIL) != fingerprint(RETAIL.with_vocabulary("channel", ("Web",)))
