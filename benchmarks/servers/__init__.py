"""The peers' servers. Each runs as a script, some of them in another Python environment without Numeral."""
