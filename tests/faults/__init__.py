"""The fault suite: real services as processes under load, hit again and again, and an independent checker at the end.

`python -m tests.faults --events 100000 --seed 7` is the long run; `test_*.py` hold the short version.
"""
