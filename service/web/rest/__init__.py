"""The REST half of the Open Inference Protocol (`front`), and its description, whose addresses are these."""

from service.web.rest.api_page import routes

__all__ = ["routes"]
