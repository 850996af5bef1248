"""The decision which version becomes the champion."""
