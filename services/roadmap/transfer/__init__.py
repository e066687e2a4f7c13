"""Taking the board out and in, as files."""
