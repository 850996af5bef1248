"""What the service tells of itself: metrics, drift, statistics, logs, traces."""
