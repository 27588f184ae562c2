"""Questions with gold answers, put to the analyst: how many are right, poor, declined or wrong.

    make eval
    python -m evaluation --set clinic --half development --kind ranking -v

The held-out halves and all of `saas` are only ever printed as counts by kind. `sets/README.md` says how a
gold answer is written.
"""
