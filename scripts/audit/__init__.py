"""The judgement of results."""
