"""What the service reports about itself: metrics, drift, statistics, logs, traces."""
