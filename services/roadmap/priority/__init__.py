"""What to build next: the customer base, the priority by several formulas, and why an idea stands where it does."""
