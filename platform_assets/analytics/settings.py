"""What a deployment says about its analytics, as the configuration file has it.

Belongs here: horizons, rates and limits that change results. Does not belong here: what methods choose for themselves.
"""

from pydantic import BaseModel, ConfigDict, Field


class AnalyticsSettings(BaseModel):
    """Settings of the analytics.

    Attributes:
        seed: What every random choice follows from; another one gives other bootstraps and placebo weeks.
        holdout_days: How many days at the end of the history models are compared on.
        value_horizon_days: Over how many days a customer's value is counted.
        discount_rate: What a year's delay takes off the value of money.
        value_level: Share of cases that intervals of values are to hold.
        churn_horizon_days: No purchase within so many days is churn.
        held_out_rate: Share of customers that no action is proposed for, so that its effect can be measured.
        false_discovery_rate: Share of findings that may be false.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    holdout_days: int = Field(default=91, gt=0)
    value_horizon_days: int = Field(default=365, gt=0)
    discount_rate: float = Field(default=0.10, ge=0, lt=1)
    value_level: float = Field(default=0.8, gt=0, lt=1)
    churn_horizon_days: int = Field(default=91, gt=0)
    held_out_rate: float = Field(default=0.1, ge=0, lt=1)
    false_discovery_rate: float = Field(default=0.10, gt=0, lt=1)
