"""Linear programs and linear algebra that knows its rounding: compensated and exact."""
