"""A web server with an application that tests can make wait: `python -m tests.service.web.life DRAIN_SECONDS`."""

import asyncio
import logging
import sys

from service.web.web_server import listener, serve
from tests.service.web.security.guarded import behind

if __name__ == "__main__":
    logging.basicConfig(level="INFO", stream=sys.stderr)
    with listener("127.0.0.1", 0) as socket:
        life = serve(
            behind(), socket, lambda line: print(line, flush=True), host="127.0.0.1", drain_seconds=float(sys.argv[1])
        )
        sys.exit(asyncio.run(life))
