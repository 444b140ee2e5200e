"""One file for each kind of source; each defines the resources of that kind as ``RESOURCES``."""
