"""Staging and core: pure functions on lazy frames."""
