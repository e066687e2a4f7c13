"""Ideas that are the same: merging them, parting them again, and the desk where people decide."""
