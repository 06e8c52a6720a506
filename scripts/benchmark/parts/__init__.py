"""What the page of target benchmark says of each part, and its figure."""
