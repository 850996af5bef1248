"""Where the time of a training step of dense layers goes, call by call, with different kernels of OpenBLAS."""
