"""Large requests, written to a folder or a file: resumable, with one writer, never half-written."""
