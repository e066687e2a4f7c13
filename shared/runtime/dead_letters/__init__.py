"""Records that could not be handled: kept whole, shown, mended, replayed or discarded."""
