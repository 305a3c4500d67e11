"""``palermo demo``: three authorities on one machine walk the whole road, then serve their sites.

Nothing here knows a node from inside: nodes are processes, officers sign in over HTTP and press the buttons that people
press.
"""
