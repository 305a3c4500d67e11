"""The transparency log of this node, and the checkpoints of its partners that it witnessed."""
