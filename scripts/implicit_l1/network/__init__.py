"""Diagonal networks: potentials, the gradient flow, its limit points and what bounds them."""
