"""The retail data platform."""
