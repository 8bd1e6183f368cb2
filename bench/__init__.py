"""Measurements beside the peers: each module is a command, `python -m bench` runs them all."""
