"""The public board: ideas, what people say of them, where they stand, and what became of them."""
