"""The page on which people draw."""

from service.web.drawing.drawing_routes import routes

__all__ = ["routes"]
