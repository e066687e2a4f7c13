"""How fast the backbone is, every figure beside its rival or limit: `make bench`, or `python -m tests.bench --help`."""
