"""What a deployment tunes about drift; a part of the configuration file.

Belongs here: the settings and their meaning. Does not belong here: the arithmetic they steer (``bands``).
"""

from pydantic import BaseModel, ConfigDict, Field


class DriftSettings(BaseModel):
    """When a delivery counts as unlike those before it.

    Attributes:
        enabled: Whether deliveries are profiled and judged at all.
        min_history: Good deliveries (for rows per day: days of that weekday) needed before a band is drawn.
        window: How many of the newest good deliveries a band is drawn from.
        weeks: How many of the newest days of a weekday the band of its rows is drawn from.
        sensitivity: Half the width of a band, in robust standard deviations; a smaller number warns sooner.
        psi: Population stability index from which on a distribution may count as another one.
        min_rows: Values a column needs in a delivery before its shares and its distribution are judged.
        history: How many deliveries are remembered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    min_history: int = Field(default=8, ge=3)
    window: int = Field(default=60, ge=8)
    weeks: int = Field(default=12, ge=8)
    sensitivity: float = Field(default=4.0, gt=0)
    psi: float = Field(default=0.25, gt=0)
    min_rows: int = Field(default=100, ge=30)
    history: int = Field(default=400, ge=20)
