"""Model providers, and the one place that chooses among them."""
