"""The schema's history; run by `python -m bot migrate`, never inside the server."""
