"""Selections of assets: in the syntax of the UI, with what the same steps make, and refused where they mean nothing."""

import dagster as dg
import pytest

from platform_assets.errors import SettingsError
from platform_assets.resources.selection import selected_assets


@dg.asset(tags={"topic": "weather"})
def clouds() -> None: ...


@dg.multi_asset(outs={"rain": dg.AssetOut(), "snow": dg.AssetOut()}, deps=[clouds])
def fall() -> tuple[None, None]:
    return None, None


GRAPH = dg.Definitions(assets=[clouds, fall]).resolve_asset_graph()


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ('key:"clouds"', ["clouds"]),
        ('key:"clouds"+', ["clouds", "rain", "snow"]),
        ("not tag:topic=weather", ["rain", "snow"]),
        ('key:"rain"', ["rain", "snow"]),
        ("*", ["clouds", "rain", "snow"]),
    ],
    ids=["one", "what-follows", "all-without-a-topic", "what-its-step-makes-too", "all"],
)
def test_a_selection_names_assets_and_what_their_steps_make(selection: str, names: list[str]) -> None:
    assert selected_assets(GRAPH, selection) == [dg.AssetKey(name) for name in names]


def test_without_a_selection_nothing_is_left_out() -> None:
    assert selected_assets(GRAPH, None) is None


@pytest.mark.parametrize(
    ("selection", "problem"),
    [
        ("clouds and (", "cannot be read as a selection"),
        ('key:"sun"', "selects no asset"),
        ('changed_in_branch:"NEW"', "cannot be read as a selection"),
        ('column:"height"', "cannot be read as a selection"),
        ('table_name:"clouds"', "cannot be read as a selection"),
        ('column_tag:"kind"="wet"', "cannot be read as a selection"),
        ('code_location:"here"', "cannot be read as a selection"),
    ],
    ids=["no-selection", "of-nothing", "of-branches", "of-columns", "of-tables", "of-column-tags", "of-locations"],
)
def test_what_selects_nothing_is_refused_with_an_example(selection: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as refused:
        selected_assets(GRAPH, selection)
    assert 'key:"warehouse/fct_sales"' in str(refused.value.remedy)
