"""How good a network is: accuracy with intervals, calibration, and accuracy on corrupted images."""
