"""The documents for people that are published with every version: a report (HTML) and a model card (Markdown)."""

from pipelines.report.render import render_card, render_report

__all__ = ["render_card", "render_report"]
