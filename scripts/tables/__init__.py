"""Tables: what their columns are, how their rows come about, how they are written."""
