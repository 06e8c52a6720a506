"""What programs share: files and their origin, own data, command lines.

The package implicit_l1 does not use it.
"""
