"""Enclosures in ball arithmetic: of minimizers, constants, limit points and trajectories."""
