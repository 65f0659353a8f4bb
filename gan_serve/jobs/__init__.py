"""Large requests that fill a folder or a file: resumable, locked to one process, with complete files only."""
