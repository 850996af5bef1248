"""Work in parts, done by several workers at once: processes of this machine, or those of a Dask cluster.

A part must come to the same result however often, and wherever, it is done: a worker that dies costs only the time of
its part, which another one does again.
"""

from pipelines.workers.pool import Workers
from pipelines.workers.processes import Processes

__all__ = ["Processes", "Workers"]
