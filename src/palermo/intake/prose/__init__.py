"""Values that lists write as prose: dates, names with remarks, document numbers, enumerations. Pure functions."""
