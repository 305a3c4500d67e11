"""How block chains write addresses, and the checksums in them: one encoding a file, nothing but arithmetic."""
