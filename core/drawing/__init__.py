"""Pictures drawn by code: digits in the writing styles that people use, and things that are no digits."""
