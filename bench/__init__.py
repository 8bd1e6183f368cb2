"""Measurements, each a runnable command; printed as ratios within one run."""
