"""The programs that draw figures."""
