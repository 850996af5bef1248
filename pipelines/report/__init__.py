"""What is published with every version for people: the learner's report (HTML) and the model card (Markdown)."""

from pipelines.report.render import render_card, render_report

__all__ = ["render_card", "render_report"]
