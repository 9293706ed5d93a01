"""Networks: a small graph of named values, its importers, the passes that rewrite it, and its lowering to the C++ core."""
