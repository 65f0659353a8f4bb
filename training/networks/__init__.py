"""Building blocks of networks, and the networks of single variants."""
