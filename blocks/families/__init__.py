"""Block families: one file a family."""
