"""Investigations: subjects, team and time line, seen by the team alone."""
