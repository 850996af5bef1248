"""What NumPy needs in order to be fast, each behind one plain call. Kernels know arrays, not layers."""
