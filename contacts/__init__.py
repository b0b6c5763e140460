"""People who can be called: one search over every place that knows some."""
