"""What stands between the network and the pages: plain ASGI middleware, put in order by `service.web.application`."""
