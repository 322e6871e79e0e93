"""Customer and product analytics on the core model."""
