"""What importers of any file format share: values, symbolic sizes, the growing graph, refusals."""
