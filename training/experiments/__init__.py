"""Many trainings by one command: the zoo, the study of losses, and stacked MNIST."""
