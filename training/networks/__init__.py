"""Networks: shared building blocks, and the networks of individual variants."""
