"""The parts put together, listening on a port, in one process or in several."""
