"""Parts that block families take: one folder a registry, one file a kind."""
