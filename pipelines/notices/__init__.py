"""What a retraining tells other programs: that a version was published, promoted or rejected, or that it failed."""
