"""Random trees of laws, and checks that find what is wrong with a value; `python -m tests.stress`."""
