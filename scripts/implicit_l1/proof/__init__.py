"""Enclosures in ball arithmetic: of minimizers, constants and limit points."""
