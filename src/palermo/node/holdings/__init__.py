"""What this authority knows: who may match against it, for what purpose, and how long it is kept."""
