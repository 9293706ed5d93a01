"""Passes: each rewrites a graph in place and says whether it changed anything."""
