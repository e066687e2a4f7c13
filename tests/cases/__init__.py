"""Known answers from literature, other software and arithmetic by hand, held against the product's pure modules.

`python -m tests.cases FOLDER` reads each `<name>.json` (an object with `cases`) or `<name>.jsonl` in the folder and
asks `tests.cases.adapters.<name>`, which maps the JSON of a case to a call of the product and back.
"""


class NotAnswered(Exception):  # noqa: N818 - it says what happened, nothing went wrong
    """No module of the product answers this case; the message says why."""
