"""How good a network is: accuracy with its intervals, calibration, and accuracy on corrupted images."""
