"""Networks: a graph of named values, importers, passes that rewrite it, and its lowering."""
