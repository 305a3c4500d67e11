"""Clocks of treaty law: which there are, how days and hours are counted, and where each stands at a moment."""
