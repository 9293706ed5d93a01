"""Benchmarks of dwsep; README.md beside this file says what each of them tracks."""
