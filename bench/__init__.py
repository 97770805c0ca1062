"""One file a performance claim; `make bench` runs them all."""
