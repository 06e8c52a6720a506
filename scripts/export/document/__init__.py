"""The parts of the document: what it cites of results, captions, and how Typst writes them."""
