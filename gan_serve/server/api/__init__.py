"""The routes: the plain API (`/v1`), the Open Inference Protocol (`/v2`), and those for operators."""
