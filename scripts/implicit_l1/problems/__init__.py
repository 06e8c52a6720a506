"""Problems: ensembles, seeds, families with known constants, and the checking of given data."""
