"""Hit confirmation: police ask police whether a hit is what it seems (UNTOC Art. 27)."""
