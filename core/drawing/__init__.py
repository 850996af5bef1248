"""Pictures drawn by code: digits in the writing styles that people use, and things that are no digits.

    style ──digits, glyphs, others──▶ strokes ──pen──▶ a user's picture ──core.imaging──▶ (28, 28)

MNIST was written by Americans in the 1990s: it hardly has a 1 with a flag and a foot, or a crossed 7, and it has
nothing at all that is no digit. A recipe adds drawn images to those that it trains on: see `core.drawing.samples`.
"""
