"""Which earlier deliveries a figure is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass

from platform_assets.quality.deliveries import Delivery
from platform_assets.quality.drift_settings import DriftSettings


@dataclass(frozen=True)
class Past:
    """The good deliveries before the one at hand.

    Attributes:
        deliveries: All that the history remembers, newest last; incidents are not among them.
        settings: How many are looked at and needed.
    """

    deliveries: Sequence[Delivery]
    settings: DriftSettings

    def of(self, family: str, column: str) -> list[Delivery]:
        """Those to compare a column with: from the last that was accepted as its new normal on."""
        accepted = [
            place
            for place, delivery in enumerate(self.deliveries)
            if delivery.accepted_why and delivery.is_outside(family, column)
        ]
        return list(self.deliveries[accepted[-1] if accepted else 0 :])[-self.settings.window :]

    def accepted_columns(self, family: str) -> list[str]:
        """Columns (or days) of a family for which some delivery was accepted as the new normal."""
        return [
            metric.column
            for delivery in self.deliveries
            if delivery.accepted_why
            for metric in delivery.metrics
            if metric.family == family and metric.is_outside
        ]
