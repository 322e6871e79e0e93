"""quality/gate_history and quality/scorecard: whether gates were open, and the page that shows it all."""

from typing import Any

import dagster as dg

from platform_assets.contracts.deployed import deployed_contracts
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.defs.quality import assessments
from platform_assets.defs.warehouse_table import DATA_TEAM, warehouse_table
from platform_assets.presentation.metadata import markdown_table
from platform_assets.quality.failing_samples import SAMPLES_SCHEMA, sample_rows
from platform_assets.quality.scorecard import DatasetCard, Scorecard
from platform_assets.reports.scorecard_page import scorecard_page
from platform_assets.reports.wording import held_back, score_change, score_value
from platform_assets.reports.writing import write_report
from platform_assets.resources.platform import PlatformResource
from platform_assets.resources.postgres import PostgresResource
from platform_assets.services.reports_server import SCORECARD, scorecard_file
from platform_assets.services.up_state import reports_url
from platform_assets.warehouse.loads import AppendLoad, MergeLoad
from platform_assets.warehouse.quality.gate_rows import GATE_HISTORY_SCHEMA, gate_rows
from platform_assets.warehouse.quality.scorecard_read import read_scorecard

_SHOWN = ("check_results", "gate_history", "row_ledger", "quarantine", "failing_samples")


@warehouse_table(
    "quality", "gate_history", GATE_HISTORY_SCHEMA, deps=[dg.AssetKey(["assessment", dataset]) for dataset in CONTRACTS]
)
def quality_gate_history(platform: PlatformResource) -> dg.MaterializeResult[AppendLoad]:
    """Whether each dataset's gate was open in each run, why not, and what it held back."""
    rows = gate_rows(assessments(platform))
    return dg.MaterializeResult(value=AppendLoad("quality.gate_history", rows.schema, rows.to_batches()))


@warehouse_table(
    "quality", "failing_samples", SAMPLES_SCHEMA, deps=[dg.AssetKey(["assessment", dataset]) for dataset in CONTRACTS]
)
def quality_failing_samples(platform: PlatformResource) -> dg.MaterializeResult[MergeLoad]:
    """The first few rows that break each rule, with file and line; personal columns are masked."""
    kept = [
        (one, platform.table("assessment", one.dataset).snapshot().attributes.get("samples", {}))
        for one in assessments(platform)
    ]
    rows = sample_rows(kept)
    key = ["dataset", "rule", "source_file", "source_row"]
    return dg.MaterializeResult(value=MergeLoad("quality.failing_samples", key, rows.schema, rows.to_batches()))


@dg.asset(
    key=["quality", "scorecard"],
    group_name="quality",
    kinds={"postgres", "html"},
    owners=[DATA_TEAM],
    pool="postgres",
    deps=[dg.AssetKey(["quality", name]) for name in _SHOWN],
)
def quality_scorecard(platform: PlatformResource, postgres: PostgresResource) -> dg.MaterializeResult[None]:
    """The page with every score, its thresholds and trend, the rules that cost most, the ledger and failing rows."""
    with postgres.connection() as connection:
        scorecard = read_scorecard(connection, deployed_contracts(platform.config))
    target = scorecard_file(platform.settings)
    write_report(scorecard_page(scorecard), target)
    page = f"{reports_url(platform.settings)}/{SCORECARD}"
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.url(page),
            "file": dg.MetadataValue.path(target),
            "scorecard": markdown_table([_line(card, scorecard) for card in scorecard.datasets]),
            "gates shut": len(scorecard.shut),
            **{f"why {card.dataset} is shut": _why(card) for card in scorecard.shut},
            **_numbers(scorecard),
        }
    )


def _line(card: DatasetCard, scorecard: Scorecard) -> dict[str, object]:
    scores = {score.name: f"{score.verdict} {score_value(score)} {score_change(score)}" for score in card.scores}
    return {
        "dataset": card.dataset,
        "gate": ("open" if card.has_rows else "no rows") if card.gate_is_open else "SHUT",
        **{name: scores.get(name, "") for name in scorecard.score_names},
    }


def _why(card: DatasetCard) -> str:
    return " ".join(filter(None, ("; ".join(card.reasons) + ".", held_back(card.held_back))))


def _numbers(scorecard: Scorecard) -> dict[str, Any]:
    """Every score under a name of its own: Dagster plots a number over the runs by its name."""
    return {
        f"{card.dataset} {score.name}": dg.MetadataValue.float(score.value)
        for card in scorecard.datasets
        for score in card.scores
        if score.value is not None
    }
