"""How a job is run: its steps here and now, while Prefect is told of them by a process of its own, or nobody is.

Only what imports quickly is imported here: `python -m pipelines` begins with the handling of signals.
"""

from pipelines.engine.environment import prepare
from pipelines.engine.server import check_server, own_server

__all__ = ["check_server", "own_server", "prepare"]
