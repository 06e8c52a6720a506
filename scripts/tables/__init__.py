"""The programs that write tables."""
