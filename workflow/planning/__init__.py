"""From the configuration to the files of a run."""
