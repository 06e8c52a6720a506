"""One file a kind of table: from the tidy tables of a stage to the columns of the table."""
