"""Benchmarks of dwsep; README.md in this folder says what each of them tracks."""
