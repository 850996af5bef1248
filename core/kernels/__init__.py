"""What NumPy needs in order to be fast, each behind one plain call. Knows no layer."""
