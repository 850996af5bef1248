"""Which version becomes the champion."""
