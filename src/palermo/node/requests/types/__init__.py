"""Types of request: one folder a type. The registry finds them; nothing else names them."""
