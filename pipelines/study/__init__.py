"""Studies: one training varied in one respect, its variants side by side on one page. Nothing is published."""
