"""Games that several variants share: what differs from the base GAN, but not from paper to paper."""
