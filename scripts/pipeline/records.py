"""What stages hand to one another as arrays, as the library takes it."""

from implicit_l1.network.initialization import MirrorCoordinates, identity_coordinates


def coordinates_of(l1, place):
    """The coordinates of an instance's initialization: what stage selection says, else ones."""
    if "unit" not in l1:
        return identity_coordinates(l1["point"].shape[1])
    return MirrorCoordinates(*(l1[name][place] for name in ("unit", "scale", "tilt", "offset")))
