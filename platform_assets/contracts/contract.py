"""A contract: the whole description of one dataset, and what follows from it."""

from dataclasses import dataclass, replace
from functools import cached_property

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.row_rules import DaysBetween, OneOf, Present, Readable, RowRule
from platform_assets.contracts.rules import Dimension, LineUnique, Rule, Severity


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The description of one dataset.

    Attributes:
        dataset: Its name: folder in the landing zone, second part of its asset keys.
        title: A few words for people: what one row is.
        owner: The team that answers for it.
        columns: In the order of the documentation.
        own_rules: The rules written by hand; ``rules`` adds those that follow from the columns.
        changed_rules: Rules that a deployment has otherwise; each stands for the one with its id.
        any_of: Groups of columns of which a file needs at least one.
        amount: The column that says how much money a row is about.
        event_at: The column that says when the row's event happened.
        version: Raise it when a change must re-stage every file.
    """

    dataset: str
    title: str
    owner: str
    columns: tuple[Column, ...]
    own_rules: tuple[Rule, ...]
    changed_rules: tuple[Rule, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    amount: str | None = None
    event_at: str | None = None
    version: int = 1

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule: values present and readable first, then those written by hand."""
        present = [
            Present(
                id=f"{column.name}_present",
                dimension=Dimension.COMPLETENESS,
                severity=Severity.ERROR,
                description=f"{column.name} has a value",
                column=column.name,
            )
            for column in self.columns
            if not column.nullable
        ]
        readable = [
            Readable(
                id=f"{column.name}_readable",
                dimension=Dimension.VALIDITY,
                severity=Severity.ERROR,
                description=f"{column.name} can be read as {column.type}",
                column=column.name,
            )
            for column in self.columns
            if column.type not in {ColumnType.TEXT, ColumnType.IDENTIFIER}
        ]
        changed = {rule.id: rule for rule in self.changed_rules}
        return tuple(changed.get(rule.id, rule) for rule in (*present, *readable, *self.own_rules))

    @cached_property
    def row_rules(self) -> tuple[RowRule, ...]:
        """The rules that a row keeps or breaks by itself."""
        return tuple(rule for rule in self.rules if isinstance(rule, RowRule))

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def identity_ignores(self) -> frozenset[str]:
        """Columns that do not count when two lines are compared."""
        return frozenset(name for rule in self.rules if isinstance(rule, LineUnique) for name in rule.ignored)

    def with_vocabulary(self, name: str, values: tuple[str, ...]) -> "Contract":
        """The contract with another list of values for a column: what cells are conformed to, and what is known."""
        columns = tuple(replace(one, vocabulary=values) if one.name == name else one for one in self.columns)
        rules = tuple(
            replace(rule, values=values, description=f"{name} is one of {', '.join(values)}")
            if isinstance(rule, OneOf) and rule.column == name
            else rule
            for rule in self.own_rules
        )
        return replace(self, columns=columns, own_rules=rules)

    def with_rule(self, rule: Rule) -> "Contract":
        """The contract with another rule in the place of the one with its id."""
        return replace(self, changed_rules=(*self.changed_rules, rule))

    @property
    def reading(self) -> "Contract":
        """What reading a file depends on: the columns, how dates are told apart, what makes lines equal."""
        rules = tuple(rule for rule in self.rules if isinstance(rule, DaysBetween | LineUnique))
        return replace(self, own_rules=rules, changed_rules=(), title="", owner="", version=1)

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: The contract has no such column.
        """
        return {column.name: column for column in self.columns}[name]
