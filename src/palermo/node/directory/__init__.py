"""Who takes part: authorities, their keys and roles, from the directory that the network's founders sign."""
