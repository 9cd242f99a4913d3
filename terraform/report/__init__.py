"""One page that says what a run learnt, how good it is and what it drew; and runs side by side."""
