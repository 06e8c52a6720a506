"""The programs of the stages, one each."""
