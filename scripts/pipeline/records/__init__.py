"""What stages hand to one another as arrays: a module for the files of each stage."""
