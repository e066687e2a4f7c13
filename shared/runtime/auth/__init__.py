"""Who calls: roles, the tokens that carry them, and whose tokens count."""
