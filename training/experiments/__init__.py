"""Many trainings by one command: the zoo, the studies, and stacked MNIST."""
