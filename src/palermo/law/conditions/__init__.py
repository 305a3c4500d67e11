"""Conditions of cooperation: each a pure, three-valued rule over what a request says. :mod:`.table` lists them."""
