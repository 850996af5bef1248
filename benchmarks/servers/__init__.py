"""Who is served by: each of these is run as a script, some of them by another Python that has nothing of ours."""
